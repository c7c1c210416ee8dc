import { patched, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Interruptions } from '../../activities/types.js';
import { keptOfStep, memos, searchAttributes, sumOfInterruptions, type RunStep } from '../../configs/temporal.js';
import type { PredictionProgress } from '../../inference/protocol.js';
import type { StageProgress, StageReport } from '../../training/process/protocol.js';
import type { RunState } from '../../configs/temporal.js';
import { describeProgress } from './describeProgress.js';
import { Notices } from './notices.js';
import { isStepOfRun } from './whose.js';
import { failedOn } from '../control/failures.js';
import type { FailedAt, InterruptionsByStep, RunProgress, SecondsByStep, StepState, StepStateName } from '../types.js';

const stageKey = defineSearchAttributeKey(searchAttributes.stage, SearchAttributeType.KEYWORD);
const stateKey = defineSearchAttributeKey(searchAttributes.state, SearchAttributeType.KEYWORD);
const stepKey = defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT);

/** Where a workflow is: what its query answers, and what the Temporal UI shows on its page. */
export class Board {
  readonly #steps = new Map<RunStep, StepState>();
  #training: (StageProgress & StageReport) | null = null;
  /** When it was notified of `#training`, ms since 1970. */
  #toldAt: number | null = null;
  #state: RunState | null = null;
  #wasPaused = false;
  /** Where notices of what happens are sent. */
  readonly notices: Notices;
  #predictions: PredictionProgress | null = null;
  #measured: PredictionProgress | null = null;
  #failure: string | null = null;
  #failed: FailedAt | null = null;
  #warnings: readonly string[] = [];

  /** @param before what each step went through in executions that have ended. @param secondsBefore what it took there. */
  constructor(
    private readonly run: string,
    steps: readonly RunStep[],
    private readonly isPaused: () => boolean,
    before: InterruptionsByStep = {},
    secondsBefore: SecondsByStep = {},
  ) {
    this.notices = new Notices(run);
    for (const step of steps) {
      const interruptions = before[step];
      const earlier = secondsBefore[step];
      const state = { step, state: 'waiting', startedAt: null, seconds: null, note: null } as const;
      this.#steps.set(step, {
        ...state,
        ...(earlier !== undefined && { secondsBefore: earlier }),
        ...(interruptions && { interruptions }),
      });
    }
    this.show();
  }

  progress(): RunProgress {
    return {
      run: this.run,
      steps: [...this.#steps.values()],
      training: this.#training,
      predictions: this.#predictions,
      ...(this.#measured && { measured: this.#measured }),
      ...(this.#failure !== null && { failure: this.#failure }),
      ...(this.#failed !== null && { failed: this.#failed }),
      ...(this.#warnings.length > 0 && { warnings: this.#warnings }),
      paused: this.isPaused(),
    };
  }

  state(step: RunStep): StepStateName | undefined {
    return this.#steps.get(step)?.state;
  }

  /** Nothing has been started yet. */
  isAtRest(): boolean {
    return [...this.#steps.values()].every(({ state }) => state === 'waiting' || state === 'left out');
  }

  start(step: RunStep): void {
    this.#training = null;
    this.#predictions = null;
    this.#measured = null;
    this.change(step, { state: 'running', startedAt: new Date().toISOString() });
    // The iteration that the stage before reported last is none of this one's.
    upsertSearchAttributes([
      { key: stageKey, value: step },
      { key: stepKey, value: null },
    ]);
  }

  /** Counts what a trainer or predictor of a step went through until it ended. */
  interrupted(step: RunStep, interruptions: Interruptions | undefined): void {
    const all = [this.#steps.get(step)?.interruptions, interruptions].flatMap((each) => each ?? []);
    const sum = sumOfInterruptions(all);
    if (sum.preemptions + sum.failures > 0 || sum.attempts || sum.warnings) this.change(step, { interruptions: sum });
  }

  interruptions(step: RunStep): Interruptions | undefined {
    return this.#steps.get(step)?.interruptions;
  }

  /** A step that ran ends. @param failure of which it failed. */
  end(step: RunStep, state: 'done' | 'failed' | 'cancelled', note: string, failure?: unknown): void {
    const { startedAt = null, secondsBefore = 0 } = this.#steps.get(step) ?? {};
    const now = startedAt === null ? null : (Date.now() - Date.parse(startedAt)) / 1000;
    const seconds = now === null ? null : Math.round((secondsBefore + now) * 10) / 10;
    this.change(step, { state, note, seconds, ...(state === 'failed' && { failed: failedAt(failure) }) });
  }

  /** The run fails where no step runs. */
  fail(note: string, failure: unknown): void {
    this.#failure = note;
    this.#failed = failedAt(failure);
    this.show();
  }

  /** Of something that concerns the run and none of its attempts. */
  warn(warning: string): void {
    this.#warnings = [...this.#warnings.filter((earlier) => earlier !== warning), warning].slice(-keptOfStep.warnings);
    this.show();
  }

  change(step: RunStep, change: Partial<Omit<StepState, 'step'>>): void {
    const before = this.#steps.get(step);
    if (before === undefined) return;
    this.#steps.set(step, { ...before, ...change });
    this.show();
  }

  setTraining(progress: StageProgress & StageReport): void {
    if (progress.step !== this.#training?.step) upsertSearchAttributes([{ key: stepKey, value: progress.step }]);
    this.#training = progress;
    this.#toldAt = Date.now();
    this.show();
  }

  setPredictions(progress: PredictionProgress): void {
    this.#predictions = progress;
    this.show();
  }

  /** Of test frames; what counts predictions has ended then. */
  setMeasured(progress: PredictionProgress): void {
    this.#measured = progress;
    this.show();
  }

  private show(): void {
    const { namespace } = workflowInfo();
    const isStep = isStepOfRun() || this.#steps.size === 1;
    setCurrentDetails(describeProgress(this.progress(), { namespace, isStep, toldAt: this.#toldAt }));
    this.tellState();
    this.tellPause();
  }

  /** That it is done or has failed is reported where it ends. */
  private tellPause(): void {
    const isPaused = this.stateOfAll() === 'paused';
    if (isPaused === this.#wasPaused) return;
    this.#wasPaused = isPaused;
    const training = this.#training;
    const step = this.currentStep();
    const at = training?.stage === step ? ` at step ${training?.step} of ${training?.totalSteps}` : '';
    const where = step === null ? '' : `, ${step}${at}`;
    const text = isPaused
      ? `${this.run} is paused${where}. To go on: tempeh-flow unpause ${this.run}`
      : `${this.run} goes on${where}.`;
    this.notices.tell(isPaused ? 'paused' : 'running', step, text);
  }

  /** The step that the run is at. */
  private currentStep(): RunStep | null {
    const at = [...this.#steps.values()].find(({ state }) => state === 'running' || state === 'paused');
    return at?.step ?? null;
  }

  /** Only where whoever started it has seen to it that the namespace knows the attribute. */
  private tellState(): void {
    if (workflowInfo().memo?.[memos.tellsState] !== true) return;
    // Workers of an earlier version may have begun it.
    if (!patched('tells-state')) return;
    const state = this.stateOfAll();
    if (state === this.#state) return;
    this.#state = state;
    upsertSearchAttributes([{ key: stateKey, value: state }]);
  }

  private stateOfAll(): RunState {
    const states = [...this.#steps.values()].map(({ state }) => state);
    if (states.includes('failed')) return 'failed';
    if (states.includes('cancelled')) return 'cancelled';
    if (states.includes('paused') || this.isPaused()) return 'paused';
    return states.every((state) => state === 'done' || state === 'left out') ? 'done' : 'running';
  }
}

function failedAt(failure: unknown): FailedAt {
  const worker = failedOn(failure);
  return { at: new Date().toISOString(), ...(worker !== null && { worker }) };
}
