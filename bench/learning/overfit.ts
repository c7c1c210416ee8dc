import type { RunConfiguration } from '../../configs/schema/run.js';
import type { StageConfiguration, TrainingStage } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import type { VertexRegions } from '../../datasets/vertexRegions.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { disposeState, initialState } from '../../model/index.js';
import { tidy } from '../../tensor/index.js';
import { RecordedStep } from '../../training/loop/recordedStep.js';
import { trainingStep } from '../../training/loop/trainingStep.js';
import { TrainingLoss } from '../../training/losses/trainingLoss.js';
import { coarseNetwork, type NetworkOptions } from '../../training/networks/coarseNetwork.js';
import { refinementNetwork } from '../../training/networks/refinementNetwork.js';
import type { StageNetwork } from '../../training/networks/stageNetwork.js';
import { AdamW } from '../../training/optimisation/optimizer.js';
import { stageLayouts } from '../../training/process/stageState.js';

/** A batch that is to be learnt by heart. */
export interface OverfitJob {
  readonly configuration: RunConfiguration;
  readonly stage: TrainingStage;
  readonly settings: StageConfiguration;
  readonly template: Mesh;
  readonly regions: VertexRegions;
  readonly batch: Batch;
  /** After each step. */
  readonly onStep?: (step: number) => void;
}

/** Mean distances of predicted vertices to the registrations', mm. */
export interface OverfitErrors {
  readonly before: number;
  readonly after: number;
}

/**
 * Trains a stage's network from its initial state on one batch, for `settings.iterations` steps, as the trainer does.
 * Errors are those of the network as it is used after training: running statistics, grids that are not turned.
 */
export async function overfit(job: OverfitJob): Promise<OverfitErrors> {
  const { settings, template, regions, batch, configuration, onStep } = job;
  const network = networkOf(job);
  const optimizer = new AdamW(network.state.parameters, { weightDecay: settings.weightDecay });
  const step = new RecordedStep(network, optimizer, settings.gradientClipping);
  const loss = new TrainingLoss(template, regions, settings);
  const error = (): number => meanDistance(predicted(network, batch), batch.vertices!);
  try {
    const before = error();
    for (let at = 0; at < settings.iterations; at++) {
      const options = { step, loss, optimizer, stage: settings, measureDistance: false, keepPrediction: false };
      const { applied, terms } = await trainingStep({ ...batch, step: at }, options);
      if (!applied)
        throw new Error(`${job.stage}, step ${at}: the loss is ${terms.total}, or a gradient is not finite`);
      onStep?.(at + 1);
    }
    return { before, after: error() };
  } finally {
    step.dispose();
    optimizer.dispose();
    disposeState(network.state);
    await loss.close();
  }

  function networkOf({ stage }: OverfitJob): StageNetwork {
    const { seed, model } = configuration;
    const layouts = stageLayouts(stage, configuration, template.vertices.length / 3);
    const { randomGridRotations } = settings;
    const options: NetworkOptions = { state: initialState(layouts, seed), seed, randomGridRotations };
    return stage === 'refinement'
      ? refinementNetwork(model.refinement, template, options)
      : coarseNetwork(model.coarse, options);
  }
}

/** As the network is used after training, its operations one by one. */
function predicted(network: StageNetwork, batch: Batch): Float32Array {
  let values = new Float32Array();
  tidy(() => {
    values = network.prepare(batch, 'evaluation').forward().vertices.dataSync<'float32'>().slice();
  });
  return values;
}

function meanDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 3) sum += Math.hypot(a[i]! - b[i]!, a[i + 1]! - b[i + 1]!, a[i + 2]! - b[i + 2]!);
  return sum / (a.length / 3);
}
