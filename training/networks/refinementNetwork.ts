import type { RefinementModelConfiguration } from '../../configs/schema/model.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { refinementForward } from '../../model/refinement.js';
import { tf } from '../../tensor/index.js';
import type { NetworkOptions } from './coarseNetwork.js';
import { coarseSurface } from './coarseSurface.js';
import { gridRotations } from '../../geometry/gridRotations.js';
import type { StageNetwork } from './stageNetwork.js';
import { tensorsOf, viewTensors } from '../loop/viewTensors.js';

/** The refinement under training: a random rotation of the grid around every vertex (method 3.3). */
export function refinementNetwork(
  configuration: RefinementModelConfiguration,
  template: Mesh,
  options: NetworkOptions,
): StageNetwork {
  const { state, seed, randomGridRotations, frozen = [] } = options;
  const vertexCount = template.vertices.length / 3;
  return {
    state,
    frozen,
    prepare(batch, mode) {
      const views = viewTensors(batch);
      const surface = coarseSurface(batch, template, configuration.visibilityResolution);
      const { vertices, normals, visibility } = surface;
      const samples = batch.shape.batch;
      const rotated = mode === 'training' && randomGridRotations;
      const drawn = (): Float32Array =>
        batch.gridRotations ?? gridRotations(seed, 'refinement', batch.step, samples, vertexCount);
      const rotations = rotated ? { rotations: tf.tensor4d(drawn(), [samples, vertexCount, 3, 3]) } : {};
      const ofSurface = [vertices, normals, visibility, surface.template];
      return {
        tensors: [...tensorsOf(views), ...ofSurface, ...(rotations.rotations ? [rotations.rotations] : [])],
        forward: () => refinementForward(state, views, surface, { configuration, mode, frozen, ...rotations }),
      };
    },
  };
}
