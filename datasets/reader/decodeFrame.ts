import { FormatError } from '../formats/formatError.js';
import { parsePly } from '../formats/meshes/ply.js';
import { decodeView } from '../images/decodeView.js';
import type { FrameId, Sample, SampleView } from '../types.js';
import { FrameUnreadable } from './errors.js';
import type { EncodedFile, EncodedFrame } from './frameSource.js';
import { readScan } from './readScan.js';

/**
 * Decodes a frame: images resized and turned, registration in mm, scan points.
 *
 * @param coarse the coarse prediction's mesh (metres), where the stage starts from one.
 * @param vertexCount L, which registration and prediction must have.
 * @throws FrameUnreadable naming the file and what is wrong with it.
 */
export async function decodeFrame(
  id: FrameId,
  frame: EncodedFrame,
  coarse: EncodedFile | null,
  resizeFactor: number,
  vertexCount: number,
): Promise<Sample> {
  if (frame.views.length < 2) {
    throw new FrameUnreadable(id, `it has ${frame.views.length} usable views; the variance over views needs two`);
  }
  try {
    const views = await Promise.all(frame.views.map((view) => decodeView(view, resizeFactor)));
    requireOneSize(id, views);
    return {
      id,
      views,
      vertices: frame.registration && meshVertices(frame.registration, vertexCount),
      scanPoints: frame.scan ? readScan(frame.scan) : new Float32Array(0),
      coarseVertices: coarse && meshVertices(coarse, vertexCount),
    };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FrameUnreadable(id, cause.message, { cause });
  }
}

/** The networks take the views of a frame as one array. */
function requireOneSize(id: FrameId, views: readonly SampleView[]): void {
  const sizes = views.map(({ camera }) => `${camera.width}×${camera.height}`);
  const other = sizes.findIndex((size) => size !== sizes[0]);
  if (other < 0) return;
  const named = (at: number): string => `${views[at]!.camera.name} ${sizes[at]}`;
  const todo = 'give all cameras of a rig images of one size';
  throw new FrameUnreadable(id, `its views differ in size: ${named(0)}, ${named(other)} px; ${todo}`);
}

/** `[L, 3]`, mm, of a PLY in metres. */
function meshVertices({ bytes, file }: EncodedFile, vertexCount: number): Float32Array {
  const { vertices } = parsePly(bytes, file);
  if (vertices.length !== 3 * vertexCount) {
    const expected = `${vertexCount} vertices, as the template has`;
    throw new FormatError({ file, expected, found: `${vertices.length / 3}` });
  }
  return vertices.map((metres) => metres * 1000);
}
