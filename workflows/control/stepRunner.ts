import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  condition,
  ParentClosePolicy,
  setHandler,
  sleep,
  startChild,
  type ChildWorkflowHandle,
  type SignalDefinition,
} from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  HandlerUnfinishedPolicy,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { MaybeInterrupted, RunInput, StageExtension } from '../../activities/types.js';
import { searchAttributes, type RunStep } from '../../configs/temporal.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import type { StageResult } from '../../training/process/protocol.js';
import { Board } from '../progress/board.js';
import { Iterations } from './iterations.js';
import { withProgress } from './knownSteps.js';
import * as messages from '../messages.js';
import type { FullTrainingInput, KnownSteps, RunProgress, StepInput } from '../types.js';

export type StepWorkflow<T> = (input: StepInput) => Promise<T>;

/** Full training's state: runs steps as child workflows, one at a time, and passes pauses on to the one that runs. */
export class StepRunner {
  readonly #board: Board;
  #paused = false;
  #current: { readonly step: RunStep; readonly handle: ChildWorkflowHandle<StepWorkflow<unknown>> | null } | null =
    null;

  readonly #iterations: Iterations;
  #known: KnownSteps;

  /**
   * @param before what each step went through and took in executions that have ended, and the checkpoints that they are known
   *   to have saved.
   */
  constructor(
    input: RunInput,
    steps: readonly RunStep[],
    before: Pick<FullTrainingInput, 'interruptions' | 'knownSteps' | 'secondsBefore'> = {},
  ) {
    this.#known = before.knownSteps ?? {};
    this.#board = new Board(input.run, steps, () => this.#paused, before.interruptions, before.secondsBefore);
    this.#iterations = new Iterations(input);
    this.handleMessages();
  }

  /** @param note why, where it was not asked for. */
  leaveOut(step: RunStep, note?: string): void {
    this.#board.change(step, { state: 'left out', ...(note !== undefined && { note }) });
  }

  /** @param note says of the result what was done. */
  async execute<T>(step: RunStep, workflow: StepWorkflow<T>, note: (result: T) => string): Promise<T> {
    await condition(() => !this.#paused);
    this.#current = { step, handle: null };
    this.#board.start(step);
    let result: T;
    do {
      const { input } = this.#iterations;
      const handle = await this.start(step, workflow);
      this.#current = { step, handle };
      if (this.#paused) await this.tellStep(messages.pauseStepSignal);
      if (this.#iterations.input !== input && isStage(step)) await this.tellIterations(step);
      result = await handle.result();
    } while (isStage(step) && (await this.#iterations.isShort(step, (result as StageResult).step)));
    this.#current = null;
    if (isStage(step)) this.#known = { ...this.#known, [step]: (result as StageResult).checkpoint.step };
    // What reports said before is part of it.
    const { interruptions } = result as MaybeInterrupted;
    if (interruptions) this.#board.change(step, { interruptions });
    this.#board.end(step, 'done', note(result));
    this.#board.notices.tell('milestone', step, `${this.#iterations.input.run}: ${step} is done: ${note(result)}.`);
    return result;
  }

  /** The run ends before its time: so does the step that ran, which is returned. */
  giveUp(state: 'failed' | 'cancelled', note: string, failure: unknown): RunStep | null {
    const step = this.#current?.step ?? null;
    if (step !== null) this.#board.end(step, state, note, failure);
    else if (state === 'failed') this.#board.fail(note, failure);
    this.#current = null;
    return step;
  }

  /** Notifies whoever wants to know how the run ended. */
  async tellEnd(kind: 'done' | 'failed' | 'cancelled', step: RunStep | null, text: string): Promise<void> {
    this.#board.notices.tell(kind, step, text);
    await this.#board.notices.sent();
  }

  private async start<T>(step: RunStep, workflow: StepWorkflow<T>): Promise<ChildWorkflowHandle<StepWorkflow<T>>> {
    const { run, configuration } = this.#iterations.input;
    const workflowId = `${run}/${step}`;
    const before = this.#board.interruptions(step);
    const knownSteps = isStage(step) && Object.keys(this.#known).length > 0 ? { knownSteps: this.#known } : {};
    const input: StepInput = {
      ...this.#iterations.input,
      ...(before && { interruptions: { [step]: before } }),
      ...knownSteps,
    };
    const keyword = (name: string, value: string) => ({
      key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
      value,
    });
    for (let attempt = 1; ; attempt++) {
      try {
        const handle = await startChild(workflow, {
          workflowId,
          args: [input],
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          staticSummary: `${step} of ${run}`,
          typedSearchAttributes: [
            keyword(searchAttributes.run, run),
            keyword(searchAttributes.stage, step),
            keyword(searchAttributes.dataset, configuration.dataset.name),
          ],
        });
        // What it waited for has ended.
        if (attempt > 1) this.#board.change(step, { note: null });
        return handle;
      } catch (failure) {
        if (!(failure instanceof WorkflowExecutionAlreadyStartedError)) throw failure;
        // That of a terminated run may still be saving.
        if (attempt > 60) throw ApplicationFailure.nonRetryable(alreadyRunning(workflowId), 'StepRunning');
        this.#board.change(step, { note: `waits for the end of ${workflowId}, which runs already` });
        await sleep('5 seconds');
      }
    }
  }

  private handleMessages(): void {
    const unfinishedPolicy = HandlerUnfinishedPolicy.ABANDON;
    const board = this.#board;
    this.handleExtensions();
    setHandler(messages.progressQuery, () => board.progress(), { description: messages.descriptions.progress });
    const internal = { description: messages.descriptions.internal };
    setHandler(messages.workerOutSignal, (warning) => board.warn(warning), internal);
    setHandler(messages.stepReportSignal, (report) => this.take(report), internal);
    setHandler(
      messages.pauseUpdate,
      async () => {
        this.#paused = true;
        await this.tellStep(messages.pauseStepSignal);
        await condition(() => !this.#paused || !this.stepIsRunning());
        return board.progress();
      },
      {
        unfinishedPolicy,
        description: messages.descriptions.pause,
        validator: () => {
          if (this.#paused) throw new Error('It is paused already.');
        },
      },
    );
    const unpause = async (): Promise<RunProgress> => {
      this.#paused = false;
      await this.tellStep(messages.resumeStepSignal);
      return board.progress();
    };
    const validator = (): void => {
      // A step can be paused by itself.
      if (!this.#paused && !board.progress().steps.some(({ state }) => state === 'paused')) {
        throw new Error('It is not paused.');
      }
    };
    for (const { update, description } of messages.unpauseUpdates) {
      setHandler(update, unpause, { unfinishedPolicy, description, validator });
    }
  }

  private handleExtensions(): void {
    setHandler(
      messages.extendUpdate,
      async (extension) => {
        await this.#iterations.extend(extension);
        if (this.#current?.step === extension.stage) await this.tellIterations(extension.stage);
        return this.#board.progress();
      },
      {
        unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
        description: messages.descriptions.extend,
        validator: (extension: StageExtension) => {
          const { stage } = extension;
          this.#iterations.validate(extension);
          const state = this.#board.state(stage);
          if (state === 'left out') throw new Error(`${stage} is not one of this run's steps.`);
          if (this.#board.isAtRest()) throw new Error('It is just being started: try again.');
          if (state === 'done') {
            const todo = 'cancel it, then resume it with --set';
            throw new Error(`${stage} is done, and what follows goes on with its weights: ${todo}.`);
          }
        },
      },
    );
  }

  private async tellIterations(stage: TrainingStage): Promise<void> {
    await this.tellStep(messages.extendStepSignal, { stage, iterations: this.#iterations.of(stage) });
  }

  private stepIsRunning(): boolean {
    return this.#current !== null && this.#board.state(this.#current.step) === 'running';
  }

  private take({ steps, training, predictions }: RunProgress): void {
    const reported = steps[0];
    // A report may overtake the end of its step.
    if (reported === undefined || reported.step !== this.#current?.step) return;
    const { state, interruptions } = reported;
    this.#board.change(reported.step, { state, ...(interruptions && { interruptions }) });
    if (training !== null) this.#board.setTraining(training);
    this.#known = withProgress(this.#known, training);
    if (predictions !== null) this.#board.setPredictions(predictions);
  }

  /** A step that has just ended needs no signal. */
  private async tellStep<Values extends unknown[]>(signal: SignalDefinition<Values>, ...values: Values): Promise<void> {
    try {
      await this.#current?.handle?.signal(signal, ...values);
    } catch {
      // See above.
    }
  }
}

function isStage(step: RunStep): step is TrainingStage {
  return step === 'coarse-pretraining' || step === 'coarse-finetuning' || step === 'refinement';
}

function alreadyRunning(workflowId: string): string {
  return `${workflowId} has been running by itself for minutes. Wait for its end or cancel it, then resume the run.`;
}
