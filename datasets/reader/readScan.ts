import { counterRandom } from '../../geometry/random.js';
import { sampleSurface } from '../../geometry/mesh/surfaceSampling.js';
import { FormatError } from '../formats/formatError.js';
import { asFloat32, parseNpy } from '../formats/numpy/npy.js';
import { parseObj } from '../formats/meshes/obj.js';
import { textOf } from '../formats/text.js';
import { parsePly } from '../formats/meshes/ply.js';
import type { EncodedFile } from './frameSource.js';

/** What a scan may be stored as, in order of preference. */
export const scanExtensions = ['npy', 'ply', 'obj'] as const;

/** Points drawn on a scan that is a mesh: five times what a training step sees of it. */
const pointsOfMesh = 100_000;

/**
 * Points of a scan, mm (method 1): those of an `.npy`, or points drawn on the surface of a mesh (`.ply`, `.obj`),
 * uniformly by area, the same ones at every reading; the vertices of a mesh without faces.
 *
 * @returns `[n, 3]`
 * @throws FormatError
 */
export function readScan({ bytes, file }: EncodedFile): Float32Array {
  if (file.endsWith('.ply') || file.endsWith('.obj')) {
    const mesh = file.endsWith('.ply') ? parsePly(bytes, file) : parseObj(textOf(bytes, file), file);
    if (mesh.faces.length === 0) return mesh.vertices;
    const { uniform } = counterRandom(0, 'scan surface', mesh.vertices.length, mesh.faces.length);
    try {
      return sampleSurface(mesh, pointsOfMesh, uniform).points;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new FormatError({ file, expected: 'a surface', found: cause.message });
    }
  }
  const array = parseNpy(bytes, file);
  if (array.shape.length !== 2 || array.shape[1] !== 3 || array.shape[0] === 0) {
    throw new FormatError({ file, expected: 'points, shape (n, 3)', found: `shape (${array.shape.join(', ')})` });
  }
  return asFloat32(array, file, { finite: true });
}
