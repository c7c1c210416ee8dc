/**
 * Measures what the host does for a training step at paper scale (argument: a `HostCase` as JSON), and prints `HostFigures` as
 * one JSON line. TensorFlow's part is that of a network with as many operations over a few voxels and pixels: what is
 * left is its dispatch.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../../configs/load.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { EventLog } from '../../checkpoints/events/eventLog.js';
import { prepareSurface } from '../../datasets/batches/prepareSurface.js';
import { gridRotations } from '../../geometry/gridRotations.js';
import { generateHeadTemplate } from '../../miniature/head/headTemplate.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { prepareTensorFlow } from '../../workers/prepareTensorFlow.js';
import { syntheticBatch } from '../syntheticBatch.js';
import type { HostCase, HostFigures, HostPart, HostPlace } from './figures.js';

const { network, threads } = JSON.parse(process.argv[2] ?? '') as HostCase;
prepareTensorFlow({ deterministic: true, threadsPerOperation: threads });
const { bindingCalls, reshape, tf, tidy } = await import('../../tensor/index.js');
const { coarseLayout, initialState, refinementLayout } = await import('../../model/index.js');
const { logLosses } = await import('../../training/loop/lossScalars.js');
const { RecordedStep } = await import('../../training/loop/recordedStep.js');
const { beginStep, finishStep, prepareStep } = await import('../../training/loop/trainingStep.js');
const { TrainingLoss } = await import('../../training/losses/trainingLoss.js');
const { coarseNetwork } = await import('../../training/networks/coarseNetwork.js');
const { refinementNetwork } = await import('../../training/networks/refinementNetwork.js');
const { AdamW } = await import('../../training/optimisation/optimizer.js');
const { readArrays, readModelArrays } = await import('../../training/process/stateArrays.js');

const repeats = 9;
const coarse = network === 'coarse';
const vertexCount = 5023;
const samples = coarse ? 2 : 1;
const views = 8;
const configuration = await loadConfiguration('famos');
const stage = configuration.training[coarse ? 'coarse-finetuning' : 'refinement'];
const { scanPoints, imageResizeFactor } = stage;
const { mesh: template, regions } = generateHeadTemplate(vertexCount);
const [height, width] = [Math.floor(1200 / imageResizeFactor), Math.floor(1600 / imageResizeFactor)];
const batch = syntheticBatch(template, { samples, views, height, width, scanPoints });

function networkOf(model: RunConfiguration['model'], head: typeof template): ReturnType<typeof coarseNetwork> {
  const layouts = coarse ? coarseLayout(model.coarse, head.vertices.length / 3) : refinementLayout(model.refinement);
  const options = { state: initialState(layouts, 0), seed: 0, randomGridRotations: true };
  return coarse ? coarseNetwork(model.coarse, options) : refinementNetwork(model.refinement, head, options);
}

/** The same layers, of few channels over few voxels. */
function smallModel(): RunConfiguration['model'] {
  const { coarse, refinement } = structuredClone(configuration.model);
  const trunk = {
    stemChannels: 4,
    layerChannels: [4, 4, 4, 4] as [number, number, number, number],
    featureChannels: 4,
  };
  const featureNet = { ...coarse.featureNet, ...trunk };
  const narrow = <V extends typeof coarse.v2v>(v2v: V, pooledLevels: number): V => ({
    ...v2v,
    frontChannels: 4,
    frontKernelSide: 3,
    baseChannels: 4,
    encoderChannels: v2v.encoderChannels.map(() => 4),
    backChannels: [4, 4],
    pooledLevels,
  });
  return {
    coarse: {
      ...coarse,
      featureNet,
      gridSide: 4,
      localiser: { ...coarse.localiser, channels: 4, hiddenUnits: 4 },
      v2v: narrow(coarse.v2v, 2),
    },
    refinement: { ...refinement, featureNet, gridSide: 2, v2v: narrow(refinement.v2v, 1) },
  };
}

const parts: HostPart[] = [];
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** The median over runs after three to warm up. @param prepare what belongs to each run but not to the part. */
async function measure<A>(
  name: string,
  place: HostPlace,
  prepare: () => A | Promise<A>,
  f: (prepared: A) => unknown,
): Promise<void> {
  const [walls, processors]: [number[], number[]] = [[], []];
  for (let i = -3; i < repeats; i++) {
    const prepared = await prepare();
    const [begun, used] = [performance.now(), process.cpuUsage()];
    await f(prepared);
    const [wall, { user, system }] = [performance.now() - begun, process.cpuUsage(used)];
    if (i < 0) continue;
    walls.push(wall);
    processors.push((user + system) / 1000);
  }
  parts.push({ name, place, wall: median(walls), processor: median(processors) });
}

const nothing = (): void => undefined;
const grids = coarse ? 1 : vertexCount;
const { visibilityResolution } = configuration.model.refinement;
if (!coarse) {
  await measure('visibility and normals', 'ahead', nothing, () =>
    prepareSurface(batch, template.faces, visibilityResolution),
  );
}
await measure('rotations of the grids', 'ahead', nothing, () => gridRotations(0, network, 1, samples, grids));

const paper = networkOf(configuration.model, template);
const prepared = {
  ...batch,
  surface: prepareSurface(batch, template.faces, visibilityResolution),
  gridRotations: gridRotations(0, network, 1, samples, grids),
};
await measure('upload of the batch', 'step', nothing, () =>
  // A tensor goes to the device when an operation takes it.
  tidy(() => void paper.prepare(prepared, 'training').tensors.map((tensor) => reshape(tensor, [-1]))),
);

const small = syntheticBatch(generateHeadTemplate(150).mesh, {
  samples,
  views,
  height: 32,
  width: 32,
  scanPoints: 500,
});
const { mesh: smallHead, regions: smallRegions } = generateHeadTemplate(150);
const smallNetwork = networkOf(smallModel(), smallHead);
const smallOptimizer = new AdamW(smallNetwork.state.parameters, { weightDecay: stage.weightDecay });
const smallLoss = new TrainingLoss(smallHead, smallRegions, stage, 1);
const options = {
  step: new RecordedStep(smallNetwork, smallOptimizer, stage.gradientClipping),
  loss: smallLoss,
  optimizer: smallOptimizer,
  stage,
  measureDistance: false,
  keepPrediction: false,
};
const laps = { forward: 'dispatch, forward', backward: 'dispatch, backward and update', update: 'counting the update' };
type Lap = keyof typeof laps;
const lapNames = Object.keys(laps) as Lap[];

/** A step of the small network. @returns wall and processor milliseconds of its laps, and its calls into TensorFlow */
async function smallStep(): Promise<{ wall: Record<Lap, number>; processor: Record<Lap, number>; calls: number }> {
  const callsBefore = bindingCalls();
  const clocks = [process.cpuUsage()];
  const begun = await beginStep(prepareStep(small, options.step), options);
  clocks.push(process.cpuUsage());
  const pending = await finishStep(begun, options);
  clocks.push(process.cpuUsage());
  const { milliseconds: wall } = pending.outcome();
  clocks.push(process.cpuUsage());
  const spent = lapNames.map((_, i) => {
    const [from, to] = [clocks[i]!, clocks[i + 1]!];
    return (to.user + to.system - from.user - from.system) / 1000;
  });
  const [forward, backward, update] = spent as [number, number, number];
  const callsNow = bindingCalls();
  const counts = Object.keys(callsNow) as (keyof typeof callsNow)[];
  const calls = counts.reduce((sum, name) => sum + callsNow[name] - callsBefore[name], 0);
  return { wall, processor: { forward, backward: backward - wall.loss, update }, calls };
}

const steps = [];
for (let i = -3; i < repeats; i++) {
  const step = await smallStep();
  if (i >= 0) steps.push(step);
}
for (const lap of lapNames) {
  const wall = median(steps.map((step) => step.wall[lap]));
  parts.push({ name: laps[lap], place: 'step', wall, processor: median(steps.map((step) => step.processor[lap])) });
}
const { calls } = steps[0]!;

const predicted = (): ReturnType<typeof tf.neg> => tidy(() => tf.neg(tf.tensor(batch.coarseVertices!)));
await measure('read-back of the prediction', 'step', predicted, (tensor) => {
  tensor.dataSync();
  tensor.dispose();
});
const loss = new TrainingLoss(template, regions, stage, threads);
const targets = { registrations: batch.vertices!, scanPoints: batch.scanPoints };
await measure('losses', 'step', nothing, () => loss.evaluate(batch.coarseVertices!, targets));

const folder = await mkdtemp(join(tmpdir(), 'tempeh-bench-'));
const events = new EventLog({ store: directoryStore(folder), run: 'bench', stage: network, attempt: 'bench' }, 0);
const { terms } = loss.evaluate(batch.coarseVertices!, targets);
await measure('scalars of a logged step', 'at times', nothing, () => logLosses(events, 1, 'train', terms));
const optimizer = new AdamW(paper.state.parameters, { weightDecay: stage.weightDecay });
await measure('snapshot for a checkpoint', 'at times', nothing, () => {
  readModelArrays(paper.state);
  tidy(() => void readArrays(optimizer.state()));
});
await rm(folder, { recursive: true });
const figures: HostFigures = { network, threads, parts, calls };
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);
