import { measuredCosts, measuredOn, ownSteps, type Costs } from '../../configs/measuredCosts.js';
import { trainingStages, type RunConfiguration } from '../../configs/schema/run.js';
import { runSteps, type RunStep } from '../../configs/temporal.js';
import { published } from '../../datasets/fetch/published.js';
import { coarseLayout, refinementLayout, type TensorLayout } from '../../model/parameters/parameterLayout.js';

/** Frames by split. */
export type Frames = Readonly<Record<'train' | 'validation' | 'test', number>>;

/** What is known beside the configuration. */
export interface Basis {
  /** null: not known. */
  readonly frames: Frames | null;
  readonly vertexCount: number;
  /** Size of the packed data set; null: not packed yet. */
  readonly packedBytes: number | null;
  /** Seconds a coarse step takes on the machine that is to train; null: that which was measured. */
  readonly coarseStepSeconds: number | null;
  readonly steps: readonly RunStep[];
}

/** A step of the plan. */
export interface PlannedStep {
  readonly step: RunStep;
  /** Training steps, or frames to predict; null where that is not known. */
  readonly count: number | null;
  readonly unit: 'steps' | 'frames' | null;
  /** On one GPU worker; null: it needs none, or the count is not known. */
  readonly seconds: number | null;
}

/** What a run will take. */
export interface Estimate {
  readonly steps: readonly PlannedStep[];
  /** Seconds of one GPU worker. */
  readonly seconds: number;
  /** What the seconds are of. */
  readonly ratesFrom: string;
  /** Bytes on a data worker's disk: archives and what is extracted of them. */
  readonly dataDiskBytes: number | null;
  /** Bytes on a GPU worker's disk: the cache. */
  readonly gpuDiskBytes: number;
  readonly bucketBytes: {
    readonly dataset: number | null;
    readonly checkpoints: number;
    readonly predictions: number | null;
  };
}

/** The published lists' frames: people × sequences × frames of each; no more than these. */
const publishedFrames: Frames = { train: 70 * 28 * 40, validation: 8 * 28 * 5, test: 15 * 28 * 20 };

/** What a run takes by its configuration. */
export function estimateRun(configuration: RunConfiguration, basis: Basis): Estimate {
  const isPublished = configuration.dataset.source.kind === 'bundles' && bundleBytes(configuration) !== null;
  const frames = basis.frames ?? (isPublished ? publishedFrames : null);
  const costs = costsFor(configuration, basis);
  const steps = runSteps
    .filter((step) => basis.steps.includes(step))
    .map((step) => planned(step, configuration, frames, costs));
  const packed = basis.packedBytes ?? bundleBytes(configuration);
  const archives = bundleBytes(configuration);
  return {
    steps,
    seconds: steps.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0),
    ratesFrom:
      basis.coarseStepSeconds === null
        ? measuredOn
        : `${basis.coarseStepSeconds.toPrecision(3)} s a coarse step, and the stages' proportions on ${measuredOn}`,
    // Volumes stay until they are extracted: both lie there at once.
    dataDiskBytes: archives === null ? null : 2 * archives,
    gpuDiskBytes: Math.min(configuration.loader.cacheBytes, packed ?? Infinity),
    bucketBytes: {
      dataset: packed,
      checkpoints: checkpointBytes(configuration, basis.vertexCount),
      predictions: frames === null ? null : predictionBytes(frames, basis.vertexCount),
    },
  };
}

function costsFor(configuration: RunConfiguration, { coarseStepSeconds }: Basis): Costs {
  const costs = measuredCosts(configuration);
  if (coarseStepSeconds === null) return costs;
  const factor = coarseStepSeconds / costs.step['coarse-pretraining'];
  const { step } = costs;
  return {
    step: {
      'coarse-pretraining': factor * step['coarse-pretraining'],
      'coarse-finetuning': factor * step['coarse-finetuning'],
      refinement: factor * step.refinement,
    },
    coarseFrame: factor * costs.coarseFrame,
    refinedFrame: factor * costs.refinedFrame,
  };
}

function planned(step: RunStep, configuration: RunConfiguration, frames: Frames | null, costs: Costs): PlannedStep {
  const stage = trainingStages.find((name) => name === step);
  if (stage !== undefined) {
    const count = ownSteps(configuration, stage);
    return { step, count, unit: 'steps', seconds: count * costs.step[stage] };
  }
  if (step === 'dataset') {
    const count = frames === null ? null : frames.train + frames.validation + frames.test;
    return { step, count, unit: 'frames', seconds: null };
  }
  const count = frames === null ? null : step === 'predictions' ? frames.train + frames.validation : frames.test;
  const each = step === 'predictions' ? costs.coarseFrame : costs.refinedFrame;
  return { step, count, unit: 'frames', seconds: count === null ? null : count * each };
}

/** What the host's page says of the bundles; null where it does not. */
function bundleBytes({ dataset: { source } }: RunConfiguration): number | null {
  if (source.kind !== 'bundles') return null;
  if (source.host !== published.host) return null;
  let gigabytes = 0;
  for (const name of source.bundles) gigabytes += published.bundles[name]?.gigabytes ?? 0;
  return gigabytes === 0 ? null : gigabytes * 1e9;
}

/** Weights and AdamW's two moments of what is kept at the end of each stage, on the way, and at milestones. */
function checkpointBytes(configuration: RunConfiguration, vertexCount: number): number {
  const { model, training, checkpoints } = configuration;
  const every = checkpoints.milestoneEvery ?? null;
  const kept = (iterations: number): number =>
    checkpoints.keepLast + (every === null ? 0 : Math.floor(iterations / every));
  const coarse = 3 * bytesOf(coarseLayout(model.coarse, vertexCount));
  const refinement = 3 * bytesOf(refinementLayout(model.refinement));
  return (
    coarse * (1 + kept(training['coarse-finetuning'].iterations)) + refinement * kept(training.refinement.iterations)
  );
}

function bytesOf(layout: readonly TensorLayout[]): number {
  return layout.reduce((sum, { shape }) => sum + 4 * shape.reduce((product, side) => product * side, 1), 0);
}

/** A coarse mesh for each frame, a refined one for each test frame: three float32 a vertex. */
function predictionBytes({ train, validation, test }: Frames, vertexCount: number): number {
  return 12 * vertexCount * (train + validation + 2 * test);
}
