import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  condition,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { DataActivities, EvaluationSummary } from '../activities/types.js';
import { memos, searchAttributes } from '../configs/temporal.js';
import { longActivity, queues, shortActivity } from './control/activityOptions.js';
import { explain, workflowFailure } from './control/failures.js';
import { fullTraining } from './fullTraining.js';
import * as messages from './messages.js';
import { evaluationNote } from '../text/stepNotes.js';
import { endText, Notices } from './progress/notices.js';
import { SeriesBoard } from './progress/seriesBoard.js';
import type { SeriesInput, SeriesResult } from './types.js';

type Member = SeriesInput['members'][number];

/**
 * Runs that are compared, side by side, each a full training of its own name: whatever steers a run steers each of them. One
 * that fails leaves the others alone, but for those that were to go on from it. Starting a series again under its name goes on
 * with those of its runs that are not complete.
 */
export async function series(input: SeriesInput): Promise<SeriesResult> {
  const { run, kind, members } = input;
  const board = new SeriesBoard(input);
  const notices = new Notices(run);
  const { storage } = members[0]!.configuration;
  const description = {
    run,
    kind,
    storage,
    members: members.map((member) => ({ run: member.run, label: member.label })),
  };
  setHandler(messages.seriesProgressQuery, () => board.progress(), {
    description: messages.descriptions.seriesProgress,
  });
  setHandler(messages.memberReportSignal, (report) => board.stepDone(report.run, report.step), {
    description: messages.descriptions.internal,
  });
  const store = (summary: string) => proxyActivities<DataActivities>(shortActivity(summary));
  const evaluations = new Map<string, EvaluationSummary | null>();
  const failures: { readonly run: string; readonly failure: unknown }[] = [];

  function end(member: string, evaluation: EvaluationSummary | null): void {
    evaluations.set(member, evaluation);
    board.change(member, 'done', evaluation === null ? null : evaluationNote(evaluation));
  }

  async function take(member: Member): Promise<void> {
    const { after, done } = member;
    if (done !== undefined) {
      end(member.run, done.evaluation);
      return;
    }
    try {
      if (after !== undefined) {
        await condition(() => board.hasDone(after.run, after.step) || board.hasEnded(after.run));
        if (!board.hasDone(after.run, after.step)) {
          board.change(member.run, 'left out', `${after.run} did not get through ${after.step}`);
          return;
        }
      }
      board.change(member.run, 'running');
      const { from, configuration } = member;
      if (from !== undefined) {
        const summary = `copy what ${from.run} has of ${from.stage} to ${member.run}`;
        const copying = longActivity(queues().data, configuration, summary);
        await proxyActivities<DataActivities>(copying).branchMember({ run: member.run, configuration, from });
      }
      const handle = await started(member, board);
      const { evaluation } = await handle.result();
      end(member.run, evaluation);
    } catch (failure) {
      if (CancellationScope.current().consideredCancelled) {
        board.change(member.run, 'cancelled');
        return;
      }
      board.change(member.run, 'failed', explain(failure));
      failures.push({ run: member.run, failure });
    }
  }

  try {
    await store('note which runs it has').storeSeries(description);
    await Promise.all(members.map(take));
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('Cancelled');
    await store('write its page').reportSeries(description);
    const [first] = failures;
    if (first !== undefined) {
      const each = failures.map((failed) => `${failed.run}: ${explain(failed.failure)}`);
      const message = `${failures.length} of ${members.length} runs failed. ${each.join('\n')}`;
      throw ApplicationFailure.nonRetryable(message, 'SeriesFailed');
    }
    notices.tell('done', null, `${run} is done: ${members.length} runs.`);
    return {
      run,
      kind,
      members: members.map((member) => {
        return { run: member.run, label: member.label, evaluation: evaluations.get(member.run) ?? null };
      }),
    };
  } catch (failure) {
    const cancelled = CancellationScope.current().consideredCancelled;
    const message = cancelled ? 'cancelled' : explain(failure);
    notices.tell(cancelled ? 'cancelled' : 'failed', null, endText(run, null, cancelled, message));
    throw cancelled ? new CancelledFailure('Cancelled') : workflowFailure(message, failure);
  } finally {
    await notices.sent();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

/** One that runs by itself (it was resumed alone, or outlived a series that was terminated) is waited for, for some minutes. */
async function started(member: Member, board: SeriesBoard): Promise<ChildWorkflowHandle<typeof fullTraining>> {
  const { run, label, configuration, steps, interruptions, knownSteps, secondsBefore } = member;
  const keyword = (name: string, value: string) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  });
  const tellsState = workflowInfo().memo?.[memos.tellsState] === true;
  for (let attempt = 1; ; attempt++) {
    try {
      const handle = await startChild(fullTraining, {
        workflowId: run,
        args: [
          {
            run,
            configuration,
            ...(steps && { steps }),
            ...(interruptions && { interruptions }),
            ...(knownSteps && { knownSteps }),
            ...(secondsBefore && { secondsBefore }),
          },
        ],
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `full training of ${run} (${label} of ${workflowInfo().workflowId})`,
        ...(tellsState && { memo: { [memos.tellsState]: true } }),
        typedSearchAttributes: [
          keyword(searchAttributes.run, run),
          keyword(searchAttributes.dataset, configuration.dataset.name),
        ],
      });
      board.change(run, 'running');
      return handle;
    } catch (failure) {
      if (!(failure instanceof WorkflowExecutionAlreadyStartedError)) throw failure;
      const todo = 'Wait for its end or cancel it, then resume the series';
      if (attempt > 60) throw ApplicationFailure.nonRetryable(`It has been running by itself for minutes. ${todo}.`);
      board.change(run, 'running', 'waits for its end: it runs by itself');
      await sleep('5 seconds');
    }
  }
}
