import type { Mesh } from './mesh.js';
import { faceAreas } from './normals.js';

/** Points on a surface, with where they lie: `faces` `[N]` and `barycentric` `[N, 3]`. */
export interface SurfaceSamples {
  /** `[N, 3]`, mm. */
  readonly points: Float32Array;
  /** `[N]` face index of each point. */
  readonly faceIndices: Uint32Array;
  /** `[N, 3]` weights of the face's three corners. */
  readonly barycentric: Float32Array;
}

/**
 * Draws points on a mesh's surface, uniformly by area.
 *
 * @param count N.
 * @param uniform source of numbers in [0, 1); three are drawn for each point, so the result depends on it alone.
 * @throws RangeError when the mesh has no area.
 */
export function sampleSurface(mesh: Mesh, count: number, uniform: () => number): SurfaceSamples {
  const cumulative = faceAreas(mesh);
  for (let face = 1; face < cumulative.length; face++) cumulative[face]! += cumulative[face - 1]!;
  const total = cumulative.at(-1) ?? 0;
  if (!(total > 0)) throw new RangeError(`cannot sample points on a mesh whose area is ${total} mm²`);
  const samples: SurfaceSamples = {
    points: new Float32Array(3 * count),
    faceIndices: new Uint32Array(count),
    barycentric: new Float32Array(3 * count),
  };
  for (let i = 0; i < count; i++) {
    const face = firstAbove(cumulative, uniform() * total);
    // Square root: uniform over a triangle's area instead of over its two parameters.
    const root = Math.sqrt(uniform());
    const along = uniform();
    const weights = [1 - root, root * (1 - along), root * along] as const;
    samples.faceIndices[i] = face;
    samples.barycentric.set(weights, 3 * i);
    for (let axis = 0; axis < 3; axis++) {
      let coordinate = 0;
      for (let corner = 0; corner < 3; corner++) {
        coordinate += weights[corner]! * mesh.vertices[3 * mesh.faces[3 * face + corner]! + axis]!;
      }
      samples.points[3 * i + axis] = coordinate;
    }
  }
  return samples;
}

/** The first index whose value is above `threshold` in an ascending array; the last one when none is. */
function firstAbove(ascending: Float64Array, threshold: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! > threshold) high = middle;
    else low = middle + 1;
  }
  return low;
}
