import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { DatasetSummary, EvaluationSummary, MaybeInterrupted } from '../../activities/types.js';
import { runSteps, searchAttributes, type RunStep } from '../../configs/temporal.js';
import { datasetNote, evaluationNote, noTestSet, predictionsNote, stageNote } from '../../text/stepNotes.js';
import type {
  FullTrainingInput,
  FullTrainingResult,
  PredictionSummary,
  RunProgress,
  StepInput,
  StepState,
  StepStateName,
} from '../../workflows/types.js';
import { orUnreadable, withoutPayloads } from '../payloads/withoutPayloads.js';
import { defineSearchAttributeKey, SearchAttributeType, WorkflowNotFoundError } from '../temporal.js';
import type { FoundRun } from './findRun.js';
import { failureOf } from './pendingActivities.js';
import { stepRecord, type StepRecord } from './stepRecord.js';
import { inputOf } from './workflowInput.js';

/** Seconds that Temporal has to answer: it is asked some dozen questions, side by side. */
const answerSeconds = 10;

type StageResult = FullTrainingResult['stages'][number];

/** The steps of a run that Temporal knows of, by its children. */
type Executions = ReadonlyMap<RunStep, WorkflowExecutionDescription>;

/**
 * Where a run is by what Temporal has recorded of its steps: for when no data worker answers what its workflow knows. States
 * and times are those of the steps' workflows; what a step did is its result.
 *
 * @returns null where Temporal does not answer in time.
 */
export async function recordedProgress(client: Client, found: FoundRun, run: string): Promise<RunProgress | null> {
  try {
    return await client.withDeadline(Date.now() + answerSeconds * 1000, () => recorded(client, found, run));
  } catch {
    // As of the question itself: what else is known is still worth something.
    return null;
  }
}

async function recorded(client: Client, found: FoundRun, run: string): Promise<RunProgress> {
  const { description } = found;
  const input = await inputOf<Partial<FullTrainingInput & StepInput>>(client, description).catch(orUnreadable);
  const executions = await executionsOf(client, found, run);
  const steps = found.step === null ? runSteps : [found.step];
  const furthest = Math.max(...steps.map((step, i) => (executions.has(step) ? i : -1)));
  const records = await Promise.all(
    steps.map(async (step, i): Promise<RecordedStep> => {
      const before = input?.secondsBefore?.[step];
      const known = { step, ...(before !== undefined && { secondsBefore: before }) };
      const execution = executions.get(step);
      if (execution !== undefined) return recordedStep(client, known, execution);
      const none = { ...known, startedAt: null, seconds: null, note: null };
      const leftOut = input === null ? null : whyLeftOut(input, step);
      if (leftOut !== null) return { state: { ...none, ...leftOut }, training: null, checkpointStep: null };
      // What is done is forgotten before its run is: retention counts from a workflow's end.
      const isDone = i < furthest || description.status.name === 'COMPLETED';
      const interruptions = input?.interruptions?.[step];
      const state = isDone ? ('done' as const) : ('waiting' as const);
      const shown = { ...none, state, ...(interruptions && { interruptions }) };
      return { state: shown, training: null, checkpointStep: null };
    }),
  );
  const last = records.findLast(({ training }) => training !== null);
  return {
    run,
    steps: records.map(({ state }) => state),
    training: last?.training ?? null,
    predictions: null,
    paused: records.some(({ state }) => state.state === 'paused') || stateAttributeOf(description) === 'paused',
  };
}

/** Those of this execution of the run: of earlier ones there may be others by the same names. */
async function executionsOf(client: Client, { description, step }: FoundRun, run: string): Promise<Executions> {
  if (step !== null) return new Map([[step, description]]);
  const names = withoutPayloads(client);
  const found = await Promise.all(
    runSteps.map(async (name) => {
      try {
        const child = await names.workflow.getHandle(`${run}/${name}`).describe();
        const isOwn = child.parentExecution?.runId === description.runId;
        return isOwn ? [[name, child] as const] : [];
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return [];
        throw error;
      }
    }),
  );
  return new Map(found.flat());
}

/** A step that its run was not to do, as its workflow says it. */
function whyLeftOut(
  { steps, configuration }: Partial<FullTrainingInput>,
  step: RunStep,
): Pick<StepState, 'state' | 'note'> | null {
  const isAsked = steps?.includes(step) ?? true;
  if (step === 'evaluation' && isAsked && configuration?.dataset.layout.test === null) {
    return { state: 'left out', note: noTestSet };
  }
  return isAsked ? null : { state: 'left out', note: null };
}

const states: Readonly<Record<string, StepStateName>> = {
  COMPLETED: 'done',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'cancelled',
};

/** A step by its workflow alone. */
export interface RecordedStep {
  readonly state: StepState;
  /** Where a stage that came to no end was saved. */
  readonly training: StepRecord['training'];
  /** Of the last checkpoint of a stage that is known. */
  readonly checkpointStep: number | null;
}

/** What Temporal has recorded of a step: its state, times and result; else what its history says of its attempts. */
export async function recordedStep(
  client: Client,
  { step, secondsBefore = 0 }: Pick<StepState, 'step' | 'secondsBefore'>,
  execution: WorkflowExecutionDescription,
): Promise<RecordedStep> {
  const { status, startTime, closeTime } = execution;
  const running = stateAttributeOf(execution) === 'paused' ? 'paused' : 'running';
  const state = states[status.name] ?? running;
  const seconds = closeTime && Math.round(10 * secondsBefore + (closeTime.getTime() - startTime.getTime()) / 100) / 10;
  const base = {
    step,
    state,
    startedAt: startTime.toISOString(),
    seconds: seconds ?? null,
    ...(secondsBefore > 0 && { secondsBefore }),
  };
  if (status.name === 'COMPLETED') {
    const result = await resultOf(client, execution);
    const { interruptions, checkpoint } = (result ?? {}) as MaybeInterrupted & Partial<StageResult>;
    const note = result === null ? null : noteOf(step, result);
    const done = { ...base, note, ...(interruptions && { interruptions }) };
    return { state: done, training: null, checkpointStep: checkpoint?.step ?? null };
  }
  const note =
    state === 'cancelled'
      ? status.name.toLowerCase()
      : state === 'failed'
        ? await failureOf(client, execution).catch(orUnreadable)
        : null;
  const record = await stepRecord(client, execution).catch(orUnreadable);
  const { interruptions, training = null } = record ?? {};
  const ended = { ...base, note, ...(interruptions && { interruptions }) };
  return { state: ended, training, checkpointStep: training?.checkpointStep ?? null };
}

/** null where its key is lost. */
function resultOf(client: Client, { workflowId, runId }: WorkflowExecutionDescription): Promise<unknown> {
  return client.workflow.getHandle(workflowId, runId).result().catch(orUnreadable);
}

function noteOf(step: RunStep, result: unknown): string {
  switch (step) {
    case 'dataset':
      return datasetNote(result as DatasetSummary);
    case 'predictions':
      return predictionsNote(result as PredictionSummary);
    case 'evaluation':
      return evaluationNote(result as EvaluationSummary);
    default:
      return stageNote(result as StageResult);
  }
}

function stateAttributeOf({ typedSearchAttributes }: WorkflowExecutionDescription): string | undefined {
  return typedSearchAttributes.get(defineSearchAttributeKey(searchAttributes.state, SearchAttributeType.KEYWORD));
}
