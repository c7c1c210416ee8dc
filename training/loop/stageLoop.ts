import type { StageConfiguration, TrainingStage } from '../../configs/schema/training.js';
import type { Batch } from '../../datasets/types.js';
import type { CheckpointKeeper } from '../../checkpoints/keeper/checkpointKeeper.js';
import { Diverged } from '../errors.js';
import type { EventRecorder } from '../../checkpoints/events/eventLog.js';
import { logLosses } from './lossScalars.js';
import type { LossTerms, TrainingLoss } from '../losses/trainingLoss.js';
import type { AdamW } from '../optimisation/optimizer.js';
import { batchHead, batchPictures } from '../pictures/batchPictures.js';
import { MachineScalars, type LoopMilliseconds } from './machineScalars.js';
import type { BatchPredictor } from './recordedPrediction.js';
import type { RecordedStep } from './recordedStep.js';
import { NextBatch } from './nextBatch.js';
import { readArrays, readModelArrays } from '../process/stateArrays.js';
import type { StageData } from './stageData.js';
import type { StageNetwork } from '../networks/stageNetwork.js';
import { SavePlan } from './savePlan.js';
import { abandonStep, beginStep, finishStep, type PendingStep, type TrainingStepOutcome } from './trainingStep.js';
import { validate } from './validate.js';
import { tidy } from '../../tensor/index.js';

/** Where a stage stands between two steps: with model and optimiser, all that the next step depends on. */
export interface StagePosition {
  /** Steps done. */
  step: number;
  skippedBatches: number;
  /** Logged last. */
  loss: number | null;
  /** The validation of this step was cut short: it comes before the next step. */
  validationPending: boolean;
}

export interface StageLoopOptions {
  readonly stage: TrainingStage;
  readonly settings: StageConfiguration;
  readonly seed: number;
  readonly network: StageNetwork;
  readonly optimizer: AdamW;
  readonly step: RecordedStep;
  /** The same network, for validation. */
  readonly predictor: BatchPredictor;
  readonly loss: TrainingLoss;
  readonly data: StageData;
  readonly events: EventRecorder;
  readonly checkpointing: CheckpointKeeper;
  /** See `SavePlanOptions`. */
  readonly milestoneEvery: number | null;
  /** After each step, and each batch of a validation. */
  readonly onProgress: (position: Readonly<StagePosition>) => void;
  /** After each validation. */
  readonly onValidation?: (step: number, terms: LossTerms) => void;
  /** After each step: where its time went. */
  readonly onStep?: (milliseconds: LoopMilliseconds, position: Readonly<StagePosition>) => void;
  readonly warn: (message: string) => void;
  /** Aborted: the step is finished, nothing more. */
  readonly signal: AbortSignal;
}

/** The error that has the last colour, mm. */
const largestError = { 'coarse-pretraining': 3, 'coarse-finetuning': 3, refinement: 1 } as const;

/**
 * The steps of a stage from `position` on, until its last or until it is told to stop. Every step's batch, rotations and
 * rates follow from the seed and the step's number alone, so it does not matter how often a stage was interrupted.
 *
 * @param position moves on with the steps.
 * @throws Diverged, and what stopped a save.
 */
export async function runStageLoop(position: StagePosition, options: StageLoopOptions): Promise<void> {
  const { settings, data, checkpointing, milestoneEvery, onProgress, onStep, signal } = options;
  const plan = new SavePlan({ every: settings.checkpointEvery, milestoneEvery, from: position.step });
  if (position.validationPending) await validateAt(position, options);
  const machine = new MachineScalars();
  let pending: PendingStep | null = null;
  const next = new NextBatch(data, options.step, signal);
  const settle = async (isLogged: boolean): Promise<void> => {
    const step = pending;
    pending = null;
    if (step) await settled(step, isLogged, position, options);
  };
  try {
    while (position.step < settings.iterations && !signal.aborted) {
      checkpointing.throwIfFailed();
      const asked = performance.now();
      const prepared = await next.take(position.step);
      if (!prepared) break;
      const { batch } = prepared;
      const waited = performance.now() - asked;
      const upcoming = position.step + 1;
      const willLog = upcoming % settings.logEvery === 0 || upcoming === settings.iterations;
      const willShow = upcoming % settings.picturesEvery === 0 || upcoming === settings.iterations;
      const stepOptions = { ...options, stage: settings, measureDistance: willLog, keepPrediction: willShow };
      const begun = await beginStep(prepared, stepOptions);
      // While the device computed this prediction, it had the update of the step before behind it.
      const settling = performance.now();
      await settle(false).catch((cause: unknown) => {
        abandonStep(begun, stepOptions);
        throw cause;
      });
      const finishing = performance.now();
      const step = await finishStep(begun, stepOptions, async (prediction) => {
        if (upcoming < settings.iterations) next.ask(upcoming);
        if (prediction) await showBatch('Train', batch, prediction, upcoming, options);
      });
      data.reuse?.(batch);
      pending = step;
      position.step = upcoming;
      const finished = performance.now();
      const saves = upcoming !== settings.iterations && plan.isDue(upcoming, checkpointing.saveSeconds);
      if (willLog || saves || validates(upcoming, settings)) await settle(willLog);
      const stepped = performance.now();
      const update = finishing - settling + stepped - finished;
      // What is logged of a step lies in the segment that its checkpoint seals.
      if (willLog) machine.write(options.events, upcoming);
      const save = await showAndSave(position, saves, plan, options);
      if (willLog) checkpointing.showEvents();
      const { loss, backward } = step.milliseconds;
      // Pictures are drawn while the update runs: what they took longer counts.
      const show = performance.now() - stepped - save + finished - finishing - loss - backward;
      plan.stepped((performance.now() - asked - save) / 1000);
      const milliseconds = { batch: waited, ...step.milliseconds, update, show, save };
      machine.add(milliseconds);
      onStep?.(milliseconds, position);
      onProgress(position);
    }
    await settle(false);
  } finally {
    next.drop();
  }
}

function validates(step: number, { validateEvery, iterations }: StageConfiguration): boolean {
  return step % validateEvery === 0 || step === iterations;
}

/** Looks at what a step came to. @throws Diverged */
async function settled(
  step: PendingStep,
  isLogged: boolean,
  position: StagePosition,
  options: StageLoopOptions,
): Promise<void> {
  const outcome = step.outcome();
  if (!outcome.applied) await skip(step.batch, outcome, position, options);
  else if (isLogged) logStep(outcome, position, options.events);
}

/**
 * What is due at this step. A checkpoint is taken before the validation (a run that is resumed from it validates first),
 * and is uploaded while the next steps run; but no step is made that would let a kill cost more steps than lie between two
 * checkpoints, however slow the store is.
 *
 * @returns milliseconds that saving took: copying the state, and waiting for the upload.
 */
async function showAndSave(
  position: StagePosition,
  saves: boolean,
  plan: SavePlan,
  options: StageLoopOptions,
): Promise<number> {
  const { settings, checkpointing } = options;
  const { step } = position;
  if (validates(step, settings)) position.validationPending = true;
  const begun = performance.now();
  if (saves) {
    await saveAt(position, options);
    plan.begun(step);
  }
  const copied = performance.now();
  if (position.validationPending) await validateAt(position, options);
  const shown = performance.now();
  // What a stage ends with is saved when nothing is left to do.
  if (step < settings.iterations && plan.mustWait(step, checkpointing.last?.step ?? 0)) await checkpointing.counted();
  return performance.now() - shown + copied - begun;
}

/** Saves what there is at this step; the state is copied before this returns. */
export async function saveAt(position: Readonly<StagePosition>, options: StageLoopOptions): Promise<void> {
  const { network, optimizer, checkpointing, stage, seed, settings } = options;
  const model = readModelArrays(network.state);
  let moments = {};
  tidy(() => {
    moments = readArrays(optimizer.state());
  });
  const state = { ...position, stage, seed, model, optimizer: moments };
  await checkpointing.save(state, isDone(position, settings));
}

/** Nothing is left to do in this stage. */
export function isDone({ step, validationPending }: StagePosition, { iterations }: StageConfiguration): boolean {
  return step >= iterations && !validationPending;
}

function logStep(outcome: TrainingStepOutcome, position: StagePosition, events: EventRecorder): void {
  position.loss = outcome.terms.total;
  events.scalar(position.step, 'Learning rate/train', outcome.learningRate);
  events.scalar(position.step, 'Gradient norm/train', outcome.gradientNorm);
  events.scalar(position.step, 'Skipped batches/train', position.skippedBatches);
  logLosses(events, position.step, 'train', outcome.terms);
}

async function skip(
  batch: Batch,
  outcome: TrainingStepOutcome,
  position: StagePosition,
  options: StageLoopOptions,
): Promise<void> {
  const { settings, checkpointing, warn } = options;
  const what = Number.isFinite(outcome.terms.total) ? 'a gradient that is not finite' : 'a loss that is not finite';
  if (position.skippedBatches >= settings.skipNonFiniteBatches) {
    // So that the last good checkpoint is named.
    await checkpointing.settleBriefly();
    throw new Diverged(batch.step, batch.frames, what, position.skippedBatches, checkpointing.last);
  }
  position.skippedBatches++;
  warn(`Step ${batch.step} has ${what}: skipped (${position.skippedBatches} of ${settings.skipNonFiniteBatches}).`);
}

async function validateAt(position: StagePosition, options: StageLoopOptions): Promise<void> {
  const { predictor, loss, data, events, onProgress, signal } = options;
  const onBatch = (): void => onProgress(position);
  const validation = await validate({ predictor, loss, data, onBatch, signal });
  position.validationPending = validation === null;
  if (!validation?.first) return;
  logLosses(events, position.step, 'validation', validation.terms);
  for (const [region, distance] of validation.regions) {
    events.scalar(position.step, `Validation by region, mm/${region}`, distance);
  }
  options.onValidation?.(position.step, validation.terms);
  const { batch, prediction } = validation.first;
  const head = batchHead(batch, prediction, data.template.faces, largestError[options.stage]);
  if (head !== null) events.mesh(position.step, 'Val/head', head);
  await showBatch('Val', batch, prediction, position.step, options);
}

async function showBatch(
  kind: 'Train' | 'Val',
  batch: Batch,
  prediction: Float32Array,
  step: number,
  { data, events, stage }: StageLoopOptions,
): Promise<void> {
  const pictures = await batchPictures(kind, batch, prediction, data.template.faces, largestError[stage]);
  for (const { tag, picture } of pictures) events.picture(step, tag, picture);
}
