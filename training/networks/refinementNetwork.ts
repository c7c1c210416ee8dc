import type { RefinementModelConfiguration } from '../../configs/schema/model.js';
import type { Mesh } from '../../geometry/mesh.js';
import { refinementForward } from '../../model/refinement.js';
import { tf } from '../../tensor/index.js';
import type { NetworkOptions } from './coarseNetwork.js';
import { coarseSurface } from './coarseSurface.js';
import { gridRotations } from './gridRotations.js';
import type { StageNetwork } from './stageNetwork.js';

/** The refinement under training: a random rotation of the grid around every vertex (method 3.3). */
export function refinementNetwork(
  configuration: RefinementModelConfiguration,
  template: Mesh,
  options: NetworkOptions,
): StageNetwork {
  const { state, seed, randomGridRotations } = options;
  const vertexCount = template.vertices.length / 3;
  return {
    state,
    forward(views, batch, mode) {
      const samples = batch.shape.batch;
      const rotated = mode === 'training' && randomGridRotations;
      const rotations = rotated
        ? {
            rotations: tf.tensor4d(gridRotations(seed, 'refinement', batch.step, samples, vertexCount), [
              samples,
              vertexCount,
              3,
              3,
            ]),
          }
        : {};
      const surface = coarseSurface(batch, template);
      return refinementForward(state, views, surface, { configuration, mode, ...rotations });
    },
  };
}
