import { counterRandom } from './random.js';
import { randomRotation } from './rotation.js';

/**
 * Uniformly random rotations of voxel grids (method 2.2, 3.3): the same for the same seed, model, step and sample.
 *
 * @param grids grids a sample: one in the coarse model, one a vertex in the refinement.
 * @returns `[B, grids, 3, 3]`
 */
export function gridRotations(
  seed: number,
  model: 'coarse' | 'refinement',
  step: number,
  samples: number,
  grids: number,
): Float32Array {
  const rotations = new Float32Array(samples * grids * 9);
  for (let sample = 0; sample < samples; sample++) {
    const { gaussian } = counterRandom(seed, 'grid rotation', model, step, sample);
    for (let grid = 0; grid < grids; grid++) rotations.set(randomRotation(gaussian), (sample * grids + grid) * 9);
  }
  return rotations;
}
