import { setImmediate as breathe } from 'node:timers/promises';
import type { Batch } from '../datasets/types.js';
import { openBatches, type Batches } from '../datasets/batches/openBatches.js';
import type { LoaderSource } from '../datasets/batches/settings.js';
import { FrameUnreadable } from '../datasets/reader/errors.js';
import { viewChoiceOf } from '../datasets/views.js';
import { mapLimited } from '../storage/async/mapLimited.js';
import { loadStore } from '../storage/loadStore.js';
import { patientStore } from '../storage/wrappers/patientStore.js';
import type { ObjectStore } from '../storage/types.js';
import { precisionWarning } from '../tensor/index.js';
import { packedDataset } from '../training/process/openStageData.js';
import { orAborted } from '../storage/async/orAborted.js';
import { Throughput } from '../training/loop/throughput.js';
import { loadTrainedModels, type TrainedModels } from './models.js';
import { PredictionWriter } from './predictionWriter.js';
import type { PredictionJob, PredictionResult, PredictorEvent } from './protocol.js';
import { PredictionStopped } from './stopped.js';
import { withCleanUp } from '../storage/async/cleanUp.js';

/** What may be put in place of what the job names; for tests and measurements. */
export interface PredictFramesTools {
  readonly store?: ObjectStore;
  readonly source?: LoaderSource;
}

type Failures = PredictionResult['failures'][number][];

/**
 * Predicts frames with a run's trained models and writes them to its store, metres. Frames whose predictions are there
 * are skipped, so it may be interrupted and repeated at will. A frame that cannot be read is reported, and the others go on.
 *
 * @param signal aborted: PredictionStopped is thrown after the frame at hand.
 * @throws StageNotFinished, CheckpointMismatch, FinalModelDamaged, DatasetMissing, StoreAccessDenied
 */
export async function predictFrames(
  job: PredictionJob,
  report: (event: PredictorEvent) => void,
  signal: AbortSignal,
  tools: PredictFramesTools = {},
): Promise<PredictionResult> {
  const started = performance.now();
  const { run, configuration, stages, frames } = job;
  const listener = { warn: (message: string): void => report({ kind: 'waiting', message }), signal };
  const store = patientStore(tools.store ?? (await loadStore(configuration.storage, listener)), listener);
  const { loader, training } = configuration;
  const costs = precisionWarning();
  if (costs !== null) report({ kind: 'warning', message: costs });
  report({ kind: 'starting', message: 'Opening the data set' });
  const batches = await openBatches(
    {
      source: tools.source ?? packedDataset(job),
      ...viewChoiceOf(configuration),
      coarsePredictions: null,
      threads: loader.threads,
    },
    loader.prefetch,
    listener,
  );
  return withCleanUp(
    async () => {
      const writer = new PredictionWriter(store, run, stages, batches.template.faces);
      const missing = await framesToDo(frames, writer, signal);
      const skipped = frames.length - missing.length;
      const failures: Failures = [];
      const throughput = new Throughput();
      let done = skipped;
      const tick = (): void => {
        throughput.tick();
        done++;
        const framesPerSecond = throughput.stepsPerSecond;
        const cache = batches.cacheCounts();
        report({ kind: 'progress', progress: { done, total: frames.length, skipped, framesPerSecond, cache } });
      };
      if (missing.length > 0) {
        report({ kind: 'starting', message: 'Loading the trained models' });
        const models = await loadTrainedModels(store, run, configuration, stages, batches);
        try {
          await predictMissing({ missing, batches, models, writer, failures, tick, signal, training });
        } finally {
          models.dispose();
        }
      }
      const seconds = (performance.now() - started) / 1000;
      return { predicted: missing.length - failures.length, skipped, failures, seconds };
    },
    () => batches.close(),
  );
}

interface PredictMissing {
  readonly missing: PredictionJob['frames'];
  readonly batches: Batches;
  readonly models: TrainedModels;
  readonly writer: PredictionWriter;
  readonly failures: Failures;
  readonly tick: () => void;
  readonly signal: AbortSignal;
  readonly training: PredictionJob['configuration']['training'];
}

async function predictMissing(options: PredictMissing): Promise<void> {
  const { missing, batches, models, writer, failures, tick, signal, training } = options;
  const coarseFactor = training['coarse-finetuning'].imageResizeFactor;
  const refinementFactor = training.refinement.imageResizeFactor;
  const coarseBatches = batches.single(missing, coarseFactor);
  // The two stages see the images at different sizes.
  const refinementBatches = models.refinement ? batches.single(missing, refinementFactor) : null;
  let writing: Promise<void> = Promise.resolve();
  try {
    for (const { id } of missing) {
      if (signal.aborted) break;
      // The loader may be waiting for a store that is away: being told to stop does not wait for that.
      const coarseBatch = await orAborted(nextOf(coarseBatches), signal);
      const refinementBatch = refinementBatches && (await orAborted(nextOf(refinementBatches), signal));
      if (signal.aborted) break;
      const unreadable = [coarseBatch, refinementBatch].find((batch) => batch instanceof FrameUnreadable);
      if (unreadable) {
        failures.push({ id, reason: unreadable.reason });
        tick();
        continue;
      }
      const [prediction] = models.coarse.predict(coarseBatch as Batch);
      const { vertices, localisation } = prediction!;
      const refined = refinementBatch
        ? models.refinement!.predict({ ...(refinementBatch as Batch), coarseVertices: vertices })[0]!
        : null;
      await writing;
      // Writes while the next frame is predicted. The refined mesh comes last: where it is, all is.
      writing = (async () => {
        await writer.coarse(id, vertices, localisation);
        if (refined) await writer.refined(id, refined);
        tick();
      })();
      writing.catch(() => undefined);
      await breathe();
    }
    await writing;
  } finally {
    // Whatever ended it: nothing is written any more when this has returned.
    await writing.catch(() => undefined);
  }
  if (signal.aborted) throw new PredictionStopped(`Prediction was stopped: ${String(signal.reason)}`);
}

async function nextOf(batches: AsyncGenerator<Batch | FrameUnreadable>): Promise<Batch | FrameUnreadable> {
  const next = await batches.next();
  if (next.done === true) throw new Error('the loader has fewer frames than it was asked for');
  return next.value;
}

const looksAtOnce = 16;

/** Frames that have not been predicted yet. */
async function framesToDo(
  frames: PredictionJob['frames'],
  writer: PredictionWriter,
  signal: AbortSignal,
): Promise<PredictionJob['frames']> {
  const there = await mapLimited(frames, looksAtOnce, async ({ id }) => {
    if (signal.aborted) throw new PredictionStopped(`Prediction was stopped: ${String(signal.reason)}`);
    return writer.has(id);
  });
  return frames.filter((_, index) => !there[index]);
}
