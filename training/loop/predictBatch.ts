import type { Batch } from '../../datasets/types.js';
import { tidy } from '../../tensor/index.js';
import type { StageNetwork } from '../networks/stageNetwork.js';

/** A batch through the network as it is used after training: identity grids, running statistics. `[B, L, 3]` mm. */
export function predictBatch(network: StageNetwork, batch: Batch): Float32Array {
  let prediction: Float32Array | undefined;
  tidy(() => {
    const { vertices } = network.prepare(batch, 'evaluation').forward();
    prediction = vertices.dataSync<'float32'>().slice();
  });
  return prediction!;
}
