import type { StageConfiguration } from '../../configs/schema/training.js';
import { disposeState } from '../../model/index.js';
import { precisionWarning, runsOnGpu } from '../../tensor/index.js';
import type { LoaderListener } from '../../datasets/batches/openBatches.js';
import { emulationLoses } from '../../storage/wrappers/conditionalPuts.js';
import { countingStore } from '../../storage/wrappers/countingStore.js';
import { loadStore } from '../../storage/loadStore.js';
import { persistently } from '../../storage/async/persistently.js';
import { CredentialsExpired, StoreUnavailable, type ObjectStore } from '../../storage/types.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { CheckpointKeeper } from '../../checkpoints/keeper/checkpointKeeper.js';
import { coarseNetwork, type NetworkOptions } from '../networks/coarseNetwork.js';
import { LeaseLost } from '../../checkpoints/errors.js';
import { Diverged, StageStopped } from '../errors.js';
import { finishedResult } from './finishedResult.js';
import { TrainingLoss } from '../losses/trainingLoss.js';
import { AdamW } from '../optimisation/optimizer.js';
import type { StageProgress, StageResult, StageValidation, TrainerEvent, TrainingJob } from './protocol.js';
import { BatchPredictor } from '../loop/recordedPrediction.js';
import { RecordedStep } from '../loop/recordedStep.js';
import { refinementNetwork } from '../networks/refinementNetwork.js';
import { openStageData } from './openStageData.js';
import type { StageData } from '../loop/stageData.js';
import { isDone, runStageLoop, saveAt, type StageLoopOptions, type StagePosition } from '../loop/stageLoop.js';
import type { StageNetwork } from '../networks/stageNetwork.js';
import { startStage } from './stageState.js';
import { withTensors } from './stateArrays.js';
import { PhaseMeans } from '../loop/phaseMeans.js';
import { Throughput } from '../loop/throughput.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** What may be put in place of what the job names; for tests and measurements. */
export interface TrainStageTools {
  readonly store?: ObjectStore;
  readonly openData?: (job: TrainingJob, listener: LoaderListener) => Promise<StageData>;
  readonly onStep?: StageLoopOptions['onStep'];
  /** Seconds to save in when told to stop; what the configuration says if absent. */
  readonly graceSeconds?: number;
}

/**
 * Trains a stage to its last step: from its newest checkpoint, or from its beginning. A stage that has finished is
 * recognised, and not trained again.
 *
 * @param report progress, checkpoints, warnings.
 * @param signal aborted: the step is finished and saved, then StageStopped is thrown.
 * @throws StageStopped, Diverged, LeaseLost, ManifestMissing, StageNotFinished, CheckpointMismatch …: see faultOf.
 */
export async function trainStage(
  job: TrainingJob,
  report: (event: TrainerEvent) => void,
  signal: AbortSignal,
  tools: TrainStageTools = {},
): Promise<StageResult> {
  const started = performance.now();
  const { run, stage, configuration, attempt, knownStep = null } = job;
  const settings: StageConfiguration = configuration.training[stage];
  const { storage } = configuration;
  const warn = (message: string): void => report({ kind: 'warning', message });
  const note = (message: string): void => report({ kind: 'note', message });
  note(`Trains ${stage} in ${configuration.precision} on ${runsOnGpu() ? 'a GPU' : 'CPUs'}, process ${process.pid}`);
  const costs = precisionWarning();
  if (costs !== null) warn(costs);
  const onWaiting = (message: string): void => report({ kind: 'waiting', message });
  const listener = { warn: onWaiting, signal };
  const { store, count } = countingStore(tools.store ?? (await loadStore(storage, listener)));
  const patiently = <T>(what: string, work: () => Promise<T>): Promise<T> => untilStopped(what, work, listener);

  const finished = await patiently(`Looking for what ${stage} came to`, () => finishedResult(job, store, warn));
  if (finished) return finished;
  const claiming = `Claiming ${stage} of run ${run}`;
  report({ kind: 'starting', message: claiming });
  const checkpoints = await patiently(claiming, () => {
    return CheckpointStore.claim(store, { run, stage, configuration, attempt, knownStep });
  });
  if (storage.kind === 's3' && storage.conditionalPuts === 'emulated') {
    warn(`storage.conditionalPuts is "emulated": ${emulationLoses}.`);
  }
  report({ kind: 'starting', message: 'Opening the data set' });
  const data = await (tools.openData ?? openStageData)(job, listener).catch((cause: unknown) => {
    throw isAbort(cause) && signal.aborted ? stoppedBefore(signal) : cause;
  });
  return withCleanUp(
    async () => {
      const vertexCount = data.template.vertices.length / 3;
      const start = { run, stage, configuration, store, checkpoints, vertexCount, warn };
      const { state, resumed } = await patiently(`Loading what ${stage} starts from`, () => startStage(start));
      const position = startingPosition(resumed, stage);
      report({ kind: 'starting', message: resumed ? `Going on from step ${position.step}` : 'Starting from step 0' });
      const network = networkOf(job, data, { state, seed: configuration.seed, ...settings });
      const optimizer = new AdamW(state.parameters, { weightDecay: settings.weightDecay });
      if (resumed) withTensors(resumed.optimizer, (tensors) => optimizer.restore(tensors));
      const recorded = new RecordedStep(network, optimizer, settings.gradientClipping);
      const predictor = new BatchPredictor(network);
      const loss = new TrainingLoss(data.template, data.regions, settings);
      const throughput = new Throughput();
      const last = checkpoints.manifest.checkpoints.at(-1);
      let checkpointAt = last?.createdAt;
      const checkpointing = new CheckpointKeeper({
        job: { run, stage, configuration, attempt, knownStep },
        checkpoints,
        store: tools.store,
        from: position.step,
        last: last ? { step: last.step, key: last.key, modelSha256: last.parts['model.safetensors']!.sha256 } : null,
        onSaved: (checkpoint) => {
          checkpointAt = new Date().toISOString();
          report({ kind: 'checkpoint', checkpoint });
        },
        warn,
        onWaiting,
        stopping: signal,
        graceSeconds: tools.graceSeconds ?? configuration.checkpoints.graceSeconds,
      });
      let validation: StageValidation | null = null;
      const phases = new PhaseMeans();
      const progress = (): StageProgress => ({
        stage,
        step: position.step,
        totalSteps: settings.iterations,
        loss: position.loss,
        stepsPerSecond: throughput.stepsPerSecond,
        checkpointStep: checkpointing.last?.step ?? null,
        ...(checkpointAt !== undefined && { checkpointAt }),
        skippedBatches: position.skippedBatches,
        bytesRead: count.bytesRead + data.bytesRead(),
        bytesWritten: count.bytesWritten + checkpointing.bytesWritten,
        ...(data.cacheCounts && { cache: data.cacheCounts() }),
        validation,
        ...(phases.seconds && { phases: phases.seconds }),
        checkpointSeconds: checkpointing.saveSeconds,
      });
      const options: StageLoopOptions = {
        stage,
        settings,
        seed: configuration.seed,
        network,
        optimizer,
        loss,
        step: recorded,
        predictor,
        data,
        events: checkpointing.events,
        checkpointing,
        // Configurations of earlier versions have none.
        milestoneEvery: configuration.checkpoints.milestoneEvery ?? null,
        onProgress: () => report({ kind: 'progress', progress: progress() }),
        onValidation: (step, { total, pointsToSurfaceDistance }) => {
          const distance = Number.isNaN(pointsToSurfaceDistance) ? null : pointsToSurfaceDistance;
          validation = { step, loss: total, pointToSurface: distance };
          const measured = distance === null ? '' : `, scan to surface ${distance.toPrecision(3)} mm`;
          note(`Validation at iteration ${step}: loss ${total.toPrecision(4)}${measured}`);
        },
        onStep: (milliseconds, reached) => {
          throughput.tick();
          phases.add(milliseconds);
          tools.onStep?.(milliseconds, reached);
        },
        warn,
        signal,
      };
      const train = async (): Promise<void> => {
        try {
          await trainAndSave(position, options);
        } catch (cause) {
          // A save that is under way is worth its time, whatever ended the stage.
          await checkpointing.settleBriefly().catch(() => undefined);
          throw cause;
        }
      };
      const dispose = (): void => {
        recorded.dispose();
        predictor.dispose();
        optimizer.dispose();
        disposeState(state);
      };
      await withCleanUp(
        train,
        () => checkpointing.end(),
        () => loss.close(),
        dispose,
      );
      const seconds = (performance.now() - started) / 1000;
      return { stage, step: position.step, loss: position.loss, checkpoint: checkpointing.last!, seconds };
    },
    () => data.close(),
  );
}

/**
 * Before its first step: what fails because the store is away is tried again until it is back.
 *
 * @throws StageStopped when it is told to stop meanwhile, and what waiting does not help.
 */
async function untilStopped<T>(what: string, work: () => Promise<T>, listener: Required<LoaderListener>): Promise<T> {
  const { signal } = listener;
  const isFinal = (cause: unknown): boolean =>
    !(cause instanceof StoreUnavailable || cause instanceof CredentialsExpired);
  try {
    return await persistently(work, { ...listener, what, isFinal });
  } catch (cause) {
    if (signal.aborted && (isAbort(cause) || !isFinal(cause))) throw stoppedBefore(signal);
    throw cause;
  }
}

function isAbort(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError';
}

/** Told to stop before its first step: there is nothing to save. */
function stoppedBefore({ reason }: AbortSignal): StageStopped {
  return new StageStopped(0, null, String(reason));
}

/** Skipped batches are counted by stage; the step counter goes on from pre-training to fine-tuning. */
function startingPosition(resumed: ({ stage: string } & StagePosition) | null, stage: string): StagePosition {
  if (!resumed) return { step: 0, skippedBatches: 0, loss: null, validationPending: false };
  const { step, loss, validationPending } = resumed;
  return resumed.stage === stage
    ? { step, loss, validationPending, skippedBatches: resumed.skippedBatches }
    : { step, loss, validationPending: false, skippedBatches: 0 };
}

function networkOf({ stage, configuration }: TrainingJob, data: StageData, options: NetworkOptions): StageNetwork {
  const { coarse, refinement } = configuration.model;
  return stage === 'refinement'
    ? refinementNetwork(refinement, data.template, options)
    : coarseNetwork(coarse, options);
}

/**
 * Trains to the stage's last step and waits for its save. Told to stop before, it saves where it is, if that is possible
 * in the grace.
 *
 * @throws StageStopped
 */
async function trainAndSave(position: StagePosition, options: StageLoopOptions): Promise<void> {
  const { checkpointing, settings, signal, warn } = options;
  const resumedAt = checkpointing.last?.step ?? 0;
  try {
    await runStageLoop(position, options);
    const saved = checkpointing.begun ?? resumedAt;
    const done = isDone(position, settings);
    // What is under way has its time, and then it is known what is left.
    if (signal.aborted) await checkpointing.settled();
    const late = done || saved === position.step ? null : checkpointing.tooLate();
    if (late !== null) throw new Error(late);
    if (done || saved !== position.step) await saveAt(position, options);
    await checkpointing.settled();
  } catch (cause) {
    if (!signal.aborted || cause instanceof LeaseLost || cause instanceof Diverged) throw cause;
    warn(`The checkpoint of step ${position.step} was not saved: ${String(cause)}. The last one counts.`);
    throw new StageStopped(position.step, checkpointing.last, String(signal.reason));
  }
  if (!isDone(position, settings)) throw new StageStopped(position.step, checkpointing.last, String(signal.reason));
}
