import type { CoarseModelConfiguration } from '../../configs/schema/model.js';
import { coarseForward } from '../../model/coarse.js';
import type { NetworkPart } from '../../model/parameters/parts.js';
import type { ModelState } from '../../model/types.js';
import { tf } from '../../tensor/index.js';
import { gridRotations } from '../../geometry/gridRotations.js';
import type { StageNetwork } from './stageNetwork.js';
import { tensorsOf, viewTensors } from '../loop/viewTensors.js';

/** What a network under training is made of, beside its configuration. */
export interface NetworkOptions {
  readonly state: ModelState;
  readonly seed: number;
  readonly randomGridRotations: boolean;
  /** Parts that are not trained; none if absent. */
  readonly frozen?: readonly NetworkPart[];
}

/** The coarse model under training: a random rotation of each sample's voxel grid (method 2.2). */
export function coarseNetwork(configuration: CoarseModelConfiguration, options: NetworkOptions): StageNetwork {
  const { state, seed, randomGridRotations, frozen = [] } = options;
  return {
    state,
    frozen,
    prepare(batch, mode) {
      const views = viewTensors(batch);
      const samples = batch.shape.batch;
      const rotated = mode === 'training' && randomGridRotations;
      const drawn = (): Float32Array => batch.gridRotations ?? gridRotations(seed, 'coarse', batch.step, samples, 1);
      const rotations = rotated ? { rotations: tf.tensor3d(drawn(), [samples, 3, 3]) } : {};
      return {
        tensors: [...tensorsOf(views), ...(rotations.rotations ? [rotations.rotations] : [])],
        forward: () => coarseForward(state, views, { configuration, mode, frozen, ...rotations }),
      };
    },
  };
}
