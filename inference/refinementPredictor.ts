import type { RunConfiguration } from '../configs/schema/run.js';
import type { Batch } from '../datasets/types.js';
import type { Mesh } from '../geometry/mesh/mesh.js';
import { disposeState, refinementLayout, type ModelState } from '../model/index.js';
import type { LoadedModel } from '../checkpoints/reading/finalModel.js';
import { BatchPredictor } from '../training/loop/recordedPrediction.js';
import { refinementNetwork } from '../training/networks/refinementNetwork.js';
import { modelStateFrom } from '../training/process/stateArrays.js';

/** The trained refinement: views and coarse vertices → vertices (method 3), identity grids, running statistics. */
export class RefinementPredictor {
  private readonly state: ModelState;
  private readonly predictor: BatchPredictor;

  /** @param template the topology, mm. @throws CheckpointMismatch when the weights are another network's. */
  constructor(
    configuration: RunConfiguration['model']['refinement'],
    { arrays, checkpoint }: LoadedModel,
    private readonly template: Mesh,
  ) {
    this.state = modelStateFrom(refinementLayout(configuration), arrays, checkpoint.key);
    const { state } = this;
    this.predictor = new BatchPredictor(
      refinementNetwork(configuration, template, { state, seed: 0, randomGridRotations: false }),
    );
  }

  /** @param batch with coarse vertices. @returns `[L, 3]` mm a sample; the caller's. */
  predict(batch: Batch): Float32Array[] {
    const vertices = this.predictor.predict(batch);
    const numbers = this.template.vertices.length;
    return Array.from({ length: batch.shape.batch }, (_, sample) =>
      vertices.slice(sample * numbers, (sample + 1) * numbers),
    );
  }

  dispose(): void {
    this.predictor.dispose();
    disposeState(this.state);
  }
}
