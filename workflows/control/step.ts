import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import type { DataActivities, DataInput, Interruptions, MaybeInterrupted, RunInput } from '../../activities/types.js';
import type { RunStep } from '../../configs/temporal.js';
import { shortActivity } from './activityOptions.js';
import { Board } from '../progress/board.js';
import { endText } from '../progress/notices.js';
import { explain, findUserFault, workflowFailure } from './failures.js';
import * as messages from '../messages.js';
import { HistoryFull } from './fullHistory.js';
import { Ends } from './interruptions.js';
import { Pauses } from './pauses.js';
import { RareReports } from './rareReports.js';
import type { StageReport } from '../../training/process/protocol.js';
import type { RunProgress, StepInput } from '../types.js';

export interface StepContext {
  readonly board: Board;
  readonly pauses: Pauses;
  readonly ends: Ends;
  /** Calls an activity through `pauses`, and counts what it went through. */
  readonly counted: <T extends MaybeInterrupted>(call: () => Promise<T>) => Promise<T>;
}

/**
 * What every step's workflow has around its work: progress, pausing, cancelling, failures that people understand, and
 * reports to the full training that started it. Started by itself, a step first checks and stores its configuration.
 *
 * @param options.isRun false for work that has no run's configuration.
 */
export async function runStep<T>(
  step: RunStep,
  input: StepInput | DataInput,
  work: (context: StepContext) => Promise<{ readonly result: T; readonly note: string }>,
  { isRun = true } = {},
): Promise<T> {
  const { parent } = workflowInfo();
  const report = () => {
    if (parent !== undefined) void tell(parent.workflowId, board);
  };
  const pauses = new Pauses(() => {
    board.change(step, { state: pauses.inForce ? 'paused' : 'running' });
    report();
  });
  const before = 'interruptions' in input ? input.interruptions : undefined;
  const board = new Board(input.run, [step], () => pauses.requested, before);
  const ends = new Ends();
  setHandler(messages.attemptsSignal, (attempts) => ends.tell(attempts), {
    description: messages.descriptions.internal,
  });
  handleMessages(board, pauses, report);
  const counted = async <R extends MaybeInterrupted>(call: () => Promise<R>): Promise<R> => {
    const answer = await pauses.run(call, (failure) => board.interrupted(step, ends.of(failure).interruptions));
    board.interrupted(step, answer.interruptions);
    return answer;
  };

  board.start(step);
  try {
    if (parent === undefined && isRun) {
      const options = shortActivity('check the configuration and store it');
      await pauses.run(() =>
        proxyActivities<DataActivities>(options).prepareRun({ ...(input as RunInput), steps: [step] }),
      );
    }
    const { result, note } = await work({ board, pauses, ends, counted });
    board.end(step, 'done', note);
    board.notices.tell('done', step, `${input.run}: ${step} is done: ${note}.`);
    await board.notices.sent();
    return result;
  } catch (failure) {
    // It goes on: nothing has ended.
    if (failure instanceof HistoryFull) throw failure;
    // A worker that is lost while it is being cancelled ends in a time-out; the workflow was cancelled all the same.
    const cancelled = CancellationScope.current().consideredCancelled && findUserFault(failure) === undefined;
    const kind = cancelled ? 'cancelled' : 'failed';
    const message = cancelled ? 'cancelled' : explain(failure);
    board.end(step, kind, message, failure);
    board.notices.tell(kind, step, endText(input.run, step, cancelled, message));
    await board.notices.sent();
    if (!cancelled) throw workflowFailure(explain(failure), failure);
    throw isCancellation(failure) ? failure : new CancelledFailure('Cancelled');
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

function handleMessages(board: Board, pauses: Pauses, report: () => void): void {
  const unfinishedPolicy = HandlerUnfinishedPolicy.ABANDON;
  const reports = new RareReports();
  const internal = { description: messages.descriptions.internal };
  setHandler(messages.progressQuery, () => board.progress(), { description: messages.descriptions.progress });
  setHandler(messages.workerOutSignal, (warning) => board.warn(warning), internal);
  setHandler(messages.pauseStepSignal, () => pauses.pause(), internal);
  setHandler(messages.resumeStepSignal, () => pauses.resume(), internal);
  setHandler(
    messages.stageProgressSignal,
    (progress) => {
      board.setTraining(withNumber(progress, board.interruptions(progress.stage)));
      if (reports.isDue()) report();
    },
    internal,
  );
  setHandler(
    messages.pauseUpdate,
    async () => {
      pauses.pause();
      await condition(() => pauses.inForce || !pauses.requested);
      return board.progress();
    },
    {
      unfinishedPolicy,
      description: messages.descriptions.pause,
      validator: () => {
        if (pauses.requested) throw new Error('It is paused already.');
      },
    },
  );
  const unpause = (): RunProgress => {
    pauses.resume();
    return board.progress();
  };
  const validator = (): void => {
    if (!pauses.requested) throw new Error('It is not paused.');
  };
  for (const { update, description } of messages.unpauseUpdates) {
    setHandler(update, unpause, { unfinishedPolicy, description, validator });
  }
}

/** Temporal counts an activity's attempts; a stage that was paused or resumed has had others, and lists number all of them. */
function withNumber<T extends StageReport>(report: T, before: Interruptions | undefined): T {
  const { attempt } = report;
  return attempt === undefined ? report : { ...report, attempt: (before?.attempts?.length ?? 0) + attempt };
}

/** The list of attempts is long, and each report to the parent stays in two histories: whoever asks gets it from the step. */
function withoutAttempts(progress: RunProgress): RunProgress {
  const steps = progress.steps.map((step) => {
    const { interruptions, ...rest } = step;
    if (interruptions === undefined) return step;
    const { attempts: _, ...counts } = interruptions;
    return { ...rest, interruptions: counts };
  });
  return { ...progress, steps };
}

/** The parent may have ended: nobody is left to report to, and that is no fault. */
async function tell(workflowId: string, board: Board): Promise<void> {
  const progress = withoutAttempts(board.progress());
  try {
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(workflowId).signal(messages.stepReportSignal, progress),
    );
  } catch {
    // See above.
  }
}
