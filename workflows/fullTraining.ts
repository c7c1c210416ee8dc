import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { DataActivities, DatasetSummary, EvaluationSummary, RunInput } from '../activities/types.js';
import { runSteps, type RunStep } from '../configs/temporal.js';
import type { StageResult } from '../training/process/protocol.js';
import { shortActivity } from './control/activityOptions.js';
import { coarseFinetuning } from './steps/coarseFinetuning.js';
import { coarsePretraining } from './steps/coarsePretraining.js';
import { dataset } from './steps/dataset.js';
import { evaluation } from './steps/evaluation.js';
import { explain, findUserFault, workflowFailure } from './control/failures.js';
import { endText } from './progress/notices.js';
import * as notes from '../text/stepNotes.js';
import { predictions } from './steps/predictions.js';
import { refinement } from './steps/refinement.js';
import { StepRunner, type StepWorkflow } from './control/stepRunner.js';
import { seriesOfRun } from './progress/whose.js';
import * as messages from './messages.js';
import type { FullTrainingInput, FullTrainingResult, PredictionSummary } from './types.js';

/**
 * The whole of a run, a child workflow a step. Starting it again under the same id resumes it: every step recognises
 * in the object store what has been done.
 */
export async function fullTraining(start: FullTrainingInput): Promise<FullTrainingResult> {
  const { run, configuration, steps } = start;
  const input: RunInput = { run, configuration };
  const runner = new StepRunner(input, runSteps, start);
  const hasTestSet = configuration.dataset.layout.test !== null;
  const wanted = (step: RunStep) =>
    (steps === undefined || steps.includes(step)) && (step !== 'evaluation' || hasTestSet);

  async function take<T>(step: RunStep, workflow: StepWorkflow<T>, note: (result: T) => string): Promise<T | null> {
    if (!wanted(step)) return null;
    const result = await runner.execute(step, workflow, note);
    await tellSeries(run, step);
    return result;
  }

  for (const step of runSteps) if (!wanted(step)) runner.leaveOut(step);
  if (!hasTestSet && (steps?.includes('evaluation') ?? true)) runner.leaveOut('evaluation', notes.noTestSet);

  try {
    const options = shortActivity('check the configuration and store it');
    await proxyActivities<DataActivities>(options).prepareRun({ ...input, ...(steps && { steps }) });
    const packed: DatasetSummary | null = await take('dataset', dataset, notes.datasetNote);
    const stages: (StageResult | null)[] = [
      await take('coarse-pretraining', coarsePretraining, notes.stageNote),
      await take('coarse-finetuning', coarseFinetuning, notes.stageNote),
    ];
    const predicted: PredictionSummary | null = await take('predictions', predictions, notes.predictionsNote);
    stages.push(await take('refinement', refinement, notes.stageNote));
    const evaluated: EvaluationSummary | null = await take('evaluation', evaluation, notes.evaluationNote);
    await runner.tellEnd(
      'done',
      null,
      `${run} is done${evaluated === null ? '' : `: ${notes.evaluationNote(evaluated)}`}.`,
    );
    return {
      run,
      dataset: packed,
      stages: stages.filter((stage) => stage !== null),
      predictions: predicted,
      evaluation: evaluated,
    };
  } catch (failure) {
    const cancelled = CancellationScope.current().consideredCancelled && findUserFault(failure) === undefined;
    const message = cancelled ? 'cancelled' : explain(failure);
    const step = runner.giveUp(cancelled ? 'cancelled' : 'failed', message, failure);
    await runner.tellEnd(cancelled ? 'cancelled' : 'failed', step, endText(run, step, cancelled, message));
    if (!cancelled) throw workflowFailure(step === null ? message : `${step}: ${message}`, failure);
    throw isCancellation(failure) ? failure : new CancelledFailure('Cancelled');
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

/** Runs of a series wait for steps of the first. One that has ended needs no signal. */
async function tellSeries(run: string, step: RunStep): Promise<void> {
  const series = seriesOfRun();
  if (series === null) return;
  await getExternalWorkflowHandle(series)
    .signal(messages.memberReportSignal, { run, step })
    .catch(() => undefined);
}
