import { FormatError } from '../formats/formatError.js';
import { parsePly } from '../formats/ply.js';
import { decodeView } from '../images/decodeView.js';
import type { FrameId, Sample } from '../types.js';
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
    return {
      id,
      views: await Promise.all(frame.views.map((view) => decodeView(view, resizeFactor))),
      vertices: frame.registration && meshVertices(frame.registration, vertexCount),
      scanPoints: frame.scan ? readScan(frame.scan) : new Float32Array(0),
      coarseVertices: coarse && meshVertices(coarse, vertexCount),
    };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FrameUnreadable(id, cause.message, { cause });
  }
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
