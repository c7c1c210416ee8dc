import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { defaultPayloadConverter, defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { StageExtension } from '../activities/types.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import {
  memos,
  messages,
  runSteps,
  searchAttributes,
  taskQueues,
  workflowTypes,
  type RunStep,
} from '../configs/temporal.js';
import type { TrainingStage } from '../configs/schema/training.js';
import { runNamePattern } from '../configs/runNames.js';
import { ensureSearchAttributes, RunError } from './client.js';
import { startFetch } from './fetches.js';

export interface StartOptions {
  readonly run: string;
  readonly configuration: RunConfiguration;
  /** All if absent. A single one is started as its own workflow `RUN/STEP`. */
  readonly steps?: readonly RunStep[];
}

/** The workflow of a run, or of a step of it that was started by itself. */
export interface FoundRun {
  readonly handle: WorkflowHandle;
  readonly description: WorkflowExecutionDescription;
  /** Of the single step's workflow; null for full training. */
  readonly step: RunStep | null;
}

/**
 * Starts a run, or starts it again: what the object store has of it is not done twice.
 *
 * @returns the workflow's id.
 * @throws RunError `refused` for a name that cannot be one, `already-running`.
 */
export async function startRun(client: Client, { run, configuration, steps }: StartOptions): Promise<string> {
  if (!runNamePattern.test(run)) {
    const expected = 'letters, digits, dots, dashes and underscores, the first a letter or digit';
    throw new RunError('refused', `${JSON.stringify(run)} cannot be the name of a run: expected ${expected}.`);
  }
  await ensureSearchAttributes(client);
  const single = steps?.length === 1 ? steps[0] : undefined;
  const workflowId = single === undefined ? run : `${run}/${single}`;
  const keyword = (name: string, value: string) => {
    return { key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value };
  };
  try {
    await client.workflow.start(workflowTypes[single ?? 'fullTraining'], {
      workflowId,
      taskQueue: taskQueues.data,
      args: [{ run, configuration, ...(single === undefined && steps !== undefined ? { steps } : {}) }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `${single ?? 'full training'} of ${run}`,
      typedSearchAttributes: [
        keyword(searchAttributes.run, run),
        keyword(searchAttributes.dataset, configuration.dataset.name),
      ],
    });
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    const todo = `See tempeh-flow status ${run}; tempeh-flow cancel ${run} ends it`;
    throw new RunError('already-running', `${workflowId} is running already. ${todo}.`, { cause });
  }
  return workflowId;
}

/**
 * Goes on with a run: a paused one is told to, one that has ended (however) is started again.
 *
 * @param configuration in place of the one that it was started with.
 * @throws RunError `not-found`, `already-running`.
 */
export async function resumeRun(client: Client, run: string, configuration?: RunConfiguration): Promise<string> {
  const { handle, description, step } = await findRun(client, run);
  if (description.status.name === 'RUNNING') {
    if (configuration !== undefined) {
      const message = `${run} is running: its configuration cannot be changed, but for more iterations of a stage (tempeh-flow extend). Cancel it first; it will save.`;
      throw new RunError('already-running', message);
    }
    await steer(run, () => handle.executeUpdate(messages.resume));
    return handle.workflowId;
  }
  const input = await inputOf(client, description);
  if (description.type === workflowTypes.fetchPublished) {
    if (configuration === undefined) return startFetch(client, input);
    throw new RunError('refused', `${run} is a fetch: start it anew with tempeh-flow fetch to change what it does.`);
  }
  const steps = step === null ? input.steps : [step];
  return startRun(client, {
    run,
    configuration: configuration ?? input.configuration,
    ...(steps === undefined ? {} : { steps }),
  });
}

/** Saves, stops and waits for `resumeRun`; returns when nothing runs any more. @throws RunError */
export async function pauseRun(client: Client, run: string): Promise<void> {
  const { handle, description } = await findRun(client, run);
  assertRunning(run, description);
  await steer(run, () => handle.executeUpdate(messages.pause));
}

/**
 * Lets a stage of a run that is running train to more steps: what trains saves and goes on, and the run's stored
 * configuration is replaced.
 *
 * @throws RunError `refused` saying why it cannot be, `not-running`.
 */
export async function extendRun(client: Client, run: string, extension: StageExtension): Promise<void> {
  const { handle, description } = await findRun(client, run);
  assertRunning(run, description);
  await steer(run, () => handle.executeUpdate(messages.extend, { args: [extension] }));
}

/** Saves and ends; `resumeRun` goes on. Returns when it has ended. @throws RunError */
export async function cancelRun(client: Client, run: string): Promise<void> {
  const { handle, description } = await findRun(client, run);
  assertRunning(run, description);
  await handle.cancel();
  await handle.result().catch(() => {});
}

/** The run's workflow, or that of the step which was started by itself last. @throws RunError `not-found` */
export async function findRun(client: Client, run: string): Promise<FoundRun> {
  const found: FoundRun[] = [];
  for (const step of [null, ...runSteps]) {
    const handle = client.workflow.getHandle(step === null ? run : `${run}/${step}`);
    try {
      const description = await handle.describe();
      if (step === null) return { handle, description, step };
      found.push({ handle, description, step });
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  found.sort((a, b) => b.description.startTime.getTime() - a.description.startTime.getTime());
  if (found[0] !== undefined) return found[0];
  throw new RunError('not-found', `Temporal knows no run ${run}. tempeh-flow list shows those that it knows.`);
}

/** The resolved configuration that a run was last started with. @throws RunError `not-found`, `refused` for a fetch. */
export async function configurationOf(client: Client, run: string): Promise<RunConfiguration> {
  const { description } = await findRun(client, run);
  if (description.type === workflowTypes.fetchPublished) {
    throw new RunError('refused', `${run} is a fetch: start it anew with tempeh-flow fetch to change what it does.`);
  }
  return (await inputOf(client, description)).configuration;
}

interface WorkflowInput {
  readonly run: string;
  readonly configuration: RunConfiguration;
  readonly steps?: readonly RunStep[];
}

/** What a workflow was started with, from the first event of its history, with the extensions that it took since. */
async function inputOf(
  client: Client,
  { workflowId, runId, memo }: WorkflowExecutionDescription,
): Promise<WorkflowInput> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  if (!payload) throw new RunError('not-found', `The history of ${workflowId} does not tell its configuration.`);
  const input = defaultPayloadConverter.fromPayload<WorkflowInput>(payload);
  const extended = Object.entries((memo?.[memos.iterations] ?? {}) as Partial<Record<TrainingStage, number>>);
  if (extended.length === 0) return input;
  const training = { ...input.configuration.training };
  for (const [stage, iterations] of extended as [TrainingStage, number][]) {
    // Each stage's type is the same.
    training[stage] = { ...training[stage], iterations };
  }
  return { ...input, configuration: { ...input.configuration, training } };
}

function assertRunning(run: string, { status }: WorkflowExecutionDescription): void {
  if (status.name === 'RUNNING') return;
  throw new RunError('not-running', `${run} is not running: it is ${status.name.toLowerCase()}.`);
}

async function steer(run: string, update: () => Promise<unknown>): Promise<void> {
  try {
    await update();
  } catch (cause) {
    if (!(cause instanceof WorkflowUpdateFailedError)) throw cause;
    throw new RunError('refused', `${run}: ${cause.cause?.message ?? cause.message}`, { cause });
  }
}
