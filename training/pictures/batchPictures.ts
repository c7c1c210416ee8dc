import type { Batch } from '../../datasets/types.js';
import type { EventPicture } from '../../checkpoints/events/eventRecords.js';
import { pictureRow, viewsToShow } from './pictureRow.js';

/**
 * Pictures of a batch's first sample by tag: `Train/view_id_03`.
 *
 * @param prediction `[B, L, 3]` mm.
 * @param largestError of the error colours, mm.
 */
export async function batchPictures(
  kind: 'Train' | 'Val',
  batch: Batch,
  prediction: Float32Array,
  faces: Uint32Array,
  largestError: number,
): Promise<{ readonly tag: string; readonly picture: EventPicture }[]> {
  const { vertices, coarseVertices, images, cameras, shape } = batch;
  if (!vertices) return [];
  const numbers = prediction.length / shape.batch;
  const pixels = shape.height * shape.width * 3;
  const sample = {
    faces,
    coarse: coarseVertices?.subarray(0, numbers) ?? null,
    target: vertices.subarray(0, numbers),
    reconstruction: prediction.subarray(0, numbers),
  };
  const rows = viewsToShow(shape.views).map(async (view) => {
    const camera = cameras[0]![view]!;
    const image = images.subarray(view * pixels, (view + 1) * pixels);
    const tag = `${kind}/view_id_${String(view).padStart(2, '0')}`;
    return { tag, picture: await pictureRow(image, camera, sample, largestError) };
  });
  return Promise.all(rows);
}
