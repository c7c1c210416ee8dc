import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch } from '../datasets/types.js';
import { miniaturePresets } from '../miniature/settings.js';
import { loadConfiguration } from '../configs/load.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import { generateHeadTemplate } from '../miniature/head/headTemplate.js';
import { coarseLayout, initialState, refinementLayout } from '../model/index.js';
import { coarseNetwork } from '../training/networks/coarseNetwork.js';
import { TrainingLoss } from '../training/losses/trainingLoss.js';
import { AdamW } from '../training/optimisation/optimizer.js';
import { BatchPredictor } from '../training/loop/recordedPrediction.js';
import { RecordedStep } from '../training/loop/recordedStep.js';
import { refinementNetwork } from '../training/networks/refinementNetwork.js';
import { trainingStep } from '../training/loop/trainingStep.js';
import type { MeasureCase, ScaleName } from './cases.js';
import { PhaseClock, type PhaseFigures, type Phases } from './phaseClock.js';
import { syntheticBatch } from './syntheticBatch.js';

const configurations: Readonly<Record<ScaleName, string>> = {
  paper: 'famos',
  workshop: 'workshop',
  miniature: 'miniature',
};

/** The sensors': FaMoS's, and those of the miniature's generator. px */
const sensors: Readonly<Record<ScaleName, { readonly height: number; readonly width: number }>> = {
  paper: { height: 1200, width: 1600 },
  workshop: miniaturePresets.workshop.sensor,
  miniature: miniaturePresets.miniature.sensor,
};

export interface MeasuredRun {
  /** One prediction or one step. */
  readonly run: () => Promise<{ readonly total: PhaseFigures; readonly phases: Phases }>;
  /** What a prediction predicts, `[B, L, 3]` mm; null of a step. */
  readonly predict: (() => Float32Array) | null;
}

/**
 * Makes a case's network, optimiser and batch, as training and prediction do.
 */
export async function prepareRun(measured: MeasureCase): Promise<MeasuredRun> {
  const configuration = await loadConfiguration(configurations[measured.scale]);
  const coarse = measured.name.startsWith('coarse');
  const stage = configuration.training[coarse ? 'coarse-finetuning' : 'refinement'];
  const { mesh: template, regions } = generateHeadTemplate(measured.vertices);
  const sensor = sensors[measured.scale];
  const batch = syntheticBatch(template, {
    samples: measured.batch,
    views: measured.views,
    height: Math.floor(sensor.height / stage.imageResizeFactor),
    width: Math.floor(sensor.width / stage.imageResizeFactor),
    scanPoints: stage.scanPoints,
  });
  const network = networkOf(configuration, coarse, template);
  if (measured.name.endsWith('predict')) {
    const predictor = new BatchPredictor(network);
    // By a function of its own, for it is asked for in another precision too.
    const predict = (): Float32Array => new BatchPredictor(network).predict(batch);
    const run: MeasuredRun['run'] = async () => {
      const clock = new PhaseClock();
      predictor.predict(batch);
      return clock.stop();
    };
    return { run, predict };
  }
  const optimizer = new AdamW(network.state.parameters, { weightDecay: stage.weightDecay });
  const options = {
    step: new RecordedStep(network, optimizer, stage.gradientClipping),
    loss: await warmedUpLoss(new TrainingLoss(template, regions, stage), batch),
    optimizer,
    stage,
    measureDistance: false,
    keepPrediction: false,
  };
  const run: MeasuredRun['run'] = async () => {
    const clock = new PhaseClock();
    const { milliseconds, applied } = await trainingStep(batch, options);
    if (!applied) throw new Error(`The step of ${measured.name} had a loss or a gradient that is not finite.`);
    clock.add('losses', { seconds: milliseconds.loss / 1000, gigaOperations: 0 });
    clock.add('update', { seconds: milliseconds.update / 1000, gigaOperations: 0 });
    return clock.stop();
  };
  return { run, predict: null };
}

/**
 * Their first calls start threads, and compile: 0.6 s of each of a bench's few steps, which thousands do not have. What is
 * searched is compiled by itself for predictions that lie at the surface, and for those of a new network, which are a speck.
 */
async function warmedUpLoss(
  loss: TrainingLoss,
  { coarseVertices, vertices, scanPoints }: Batch,
): Promise<TrainingLoss> {
  const speck = vertices!.map((value) => value / 100);
  for (let call = 0; call < 10; call++) {
    loss.evaluate(call % 2 === 0 ? coarseVertices! : speck, { registrations: vertices!, scanPoints });
    await sleep(50);
  }
  return loss;
}

function networkOf(
  configuration: RunConfiguration,
  coarse: boolean,
  template: ReturnType<typeof generateHeadTemplate>['mesh'],
): ReturnType<typeof coarseNetwork> {
  const { model, seed } = configuration;
  const layouts = coarse
    ? coarseLayout(model.coarse, template.vertices.length / 3)
    : refinementLayout(model.refinement);
  const options = { state: initialState(layouts, seed), seed, randomGridRotations: true };
  return coarse ? coarseNetwork(model.coarse, options) : refinementNetwork(model.refinement, template, options);
}
