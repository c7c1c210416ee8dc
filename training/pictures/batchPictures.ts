import type { Batch } from '../../datasets/types.js';
import type { EventPicture } from '../../checkpoints/events/eventRecords.js';
import type { EventMesh } from '../../checkpoints/events/pluginRecords.js';
import { errorColours, pictureRow, viewsToShow } from './pictureRow.js';

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
    const { subject, sequence, frame } = batch.frames[0]!;
    const name = `${subject} / ${sequence} / ${frame}, view ${batch.viewNames[0]![view]}`;
    return { tag, picture: await pictureRow(name, image, camera, sample, largestError) };
  });
  return Promise.all(rows);
}

/** The first sample's predicted head, with its error in colours; null without registrations. Parameters as of `batchPictures`. */
export function batchHead(
  { vertices: target, shape }: Batch,
  prediction: Float32Array,
  faces: Uint32Array,
  largestError: number,
): EventMesh | null {
  if (!target) return null;
  const numbers = prediction.length / shape.batch;
  // The network's buffer is used again; and the keeper is sent no more than this head.
  const vertices = prediction.slice(0, numbers);
  const colours = Uint8Array.from(errorColours(target.subarray(0, numbers), vertices, largestError), Math.round);
  return { vertices, faces, colours };
}
