import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '../temporal.js';
import type { DataInput, FolderPredictionInput, StageExtension } from '../../activities/types.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { memos, messages, workflowTypes, type RunStep } from '../../configs/temporal.js';
import { runNamePattern } from '../../configs/runNames.js';
import type { FullTrainingInput, RunProgress, SeriesInput } from '../../workflows/types.js';
import { beforeRun, tellAttempts } from './attempts.js';
import { RunError } from '../connection/client.js';
import { describeRun, queryProgress, type RunDescription } from './describeRun.js';
import { findRun, findRunIfKnown } from './findRun.js';
import { startFetch } from '../fetches.js';
import { resumeFolderPrediction } from '../folderPredictions.js';
import { orUnreadable, withoutPayloads } from '../payloads/withoutPayloads.js';
import { startWorkflow } from '../startWorkflow.js';
import { refreshed, runningMembers, startSeries } from './series.js';
import { isSeries } from './seriesProgress.js';
import { inputOf } from './workflowInput.js';

export interface StartOptions {
  readonly run: string;
  readonly configuration: RunConfiguration;
  /** All if absent. A single one is started as its own workflow `RUN/STEP`. */
  readonly steps?: readonly RunStep[];
  /** Seconds that a worker is given to say what the run went through before. */
  readonly answerSeconds?: number;
}

/**
 * Starts a run, or starts it again: what the object store has of it is not done twice.
 *
 * @returns the workflow's id.
 * @throws RunError `refused` for a name that cannot be one, `already-running`.
 */
export async function startRun(client: Client, options: StartOptions): Promise<string> {
  const { run, configuration, steps, answerSeconds } = options;
  if (!runNamePattern.test(run)) {
    const expected = 'letters, digits, dots, dashes and underscores, the first a letter or digit';
    throw new RunError('refused', `${JSON.stringify(run)} cannot be the name of a run: expected ${expected}.`);
  }
  const taken = await findRunIfKnown(withoutPayloads(client), run);
  if (taken !== null && isSeries(taken.description)) {
    throw new RunError('refused', `${run} is the name of a series: give the run another.`);
  }
  const single = steps?.length === 1 ? steps[0] : undefined;
  const workflowId = single === undefined ? run : `${run}/${single}`;
  const before = await beforeRun(client, run, configuration, {
    ...(steps && { steps }),
    ...(answerSeconds !== undefined && { answerSeconds }),
  });
  await startWorkflow(client, {
    type: workflowTypes[single ?? 'fullTraining'],
    workflowId,
    run,
    input: { run, configuration, ...(single === undefined && steps !== undefined ? { steps } : {}), ...before },
    summary: `${single ?? 'full training'} of ${run}`,
    dataset: configuration.dataset.name,
    scheduling: configuration.scheduling,
  });
  return workflowId;
}

/**
 * Goes on with a run: a paused one is signalled to, one that has ended (however) is started again.
 *
 * @param configuration in place of the one that it was started with.
 * @param answerSeconds that a worker is given to say what the run went through before.
 * @throws RunError `not-found`, `already-running`.
 */
export async function resumeRun(
  client: Client,
  run: string,
  configuration?: RunConfiguration,
  answerSeconds?: number,
): Promise<string> {
  const { handle, description, step } = await findRun(client, run);
  if (description.status.name === 'RUNNING') {
    if (configuration !== undefined) {
      const message = `${run} is running: its configuration cannot be changed, but for more iterations of a stage (tempeh-flow extend). Cancel it first; it will save.`;
      throw new RunError('already-running', message);
    }
    if (isSeries(description)) {
      await resumeMembers(client, run, handle);
      return handle.workflowId;
    }
    const progress = await queryProgress(client, handle);
    // Where nobody answers it may be paused.
    if (progress !== null && !isPaused(progress)) {
      throw new RunError(
        'already-running',
        `${run} is running, and not paused: tempeh-flow status ${run} says where it is.`,
      );
    }
    await steer(run, () => handle.executeUpdate(messages.unpause));
    return handle.workflowId;
  }
  if (configuration !== undefined) refuseUnconfigured(run, description);
  if (description.type === workflowTypes.fetchPublished) {
    return startFetch(client, await inputOf<DataInput>(client, description));
  }
  if (description.type === workflowTypes.predictFolders) {
    return resumeFolderPrediction(client, await inputOf<FolderPredictionInput>(client, description), handle);
  }
  if (isSeries(description)) {
    const before = await inputOf<SeriesInput>(client, description);
    return startSeries(client, await refreshed(before, (member) => configurationOf(client, member)));
  }
  const input = await runInputOf(client, description);
  const steps = step === null ? input.steps : [step];
  return startRun(client, {
    run,
    configuration: configuration ?? input.configuration,
    ...(steps === undefined ? {} : { steps }),
    ...(answerSeconds === undefined ? {} : { answerSeconds }),
  });
}

/** Saves, stops and waits for `resumeRun`; returns when nothing runs any more. Of a series: each run that runs. @throws RunError */
export async function pauseRun(client: Client, run: string): Promise<void> {
  const { handle, description } = await findRun(client, run);
  assertRunning(run, description);
  await tellAttempts(client, run);
  if (!isSeries(description)) return steer(run, () => handle.executeUpdate(messages.pause));
  const members = await runningMembers(client, run, handle);
  const open = (await describeEach(client, members)).filter(({ progress }) => progress?.paused !== true);
  if (open.length === 0) throw new RunError('refused', `${run}: no run of it runs that is not paused already.`);
  await Promise.all(open.map((member) => pauseRun(client, member.run)));
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
  if (isSeries(description)) {
    throw new RunError('refused', `${run} is a series: extend its runs by themselves (tempeh-flow status ${run}).`);
  }
  await tellAttempts(client, run);
  await steer(run, () => handle.executeUpdate(messages.extend, { args: [extension] }));
}

/**
 * Saves and ends; `resumeRun` goes on. Returns when it has ended. Who has not the run's key can do it, too: nothing of it is read.
 *
 * @throws RunError
 */
export async function cancelRun(client: Client, run: string): Promise<void> {
  const { handle, description } = await findRun(withoutPayloads(client), run);
  assertRunning(run, description);
  await tellAttempts(client, run).catch(orUnreadable);
  await handle.cancel();
  await handle.result().catch(() => {});
}

/** The resolved configuration that a run was last started with; of a series that of its first run. @throws RunError `not-found`, `refused` for what is no run. */
export async function configurationOf(client: Client, run: string): Promise<RunConfiguration> {
  const { description } = await findRun(client, run);
  if (isSeries(description)) {
    return (await inputOf<SeriesInput>(client, description)).members[0]!.configuration;
  }
  refuseUnconfigured(run, description);
  return (await runInputOf(client, description)).configuration;
}

/** What a fetch or a prediction of folders does is set where it is started. @throws RunError `refused` */
function refuseUnconfigured(run: string, { type }: WorkflowExecutionDescription): void {
  const commands: Readonly<Record<string, string>> = {
    [workflowTypes.fetchPublished]: 'a fetch: start it anew with tempeh-flow fetch',
    [workflowTypes.predictFolders]: 'a prediction of folders: start it anew with tempeh-flow predict --workflow',
    [workflowTypes.series]: 'a series of runs: resume one of these by its name',
  };
  const what = commands[type];
  if (what !== undefined) throw new RunError('refused', `${run} is ${what} to change what it does.`);
}

/** What a run was started with, with the extensions that it took since. */
async function runInputOf(client: Client, description: WorkflowExecutionDescription): Promise<FullTrainingInput> {
  const input = await inputOf<FullTrainingInput>(client, description);
  const { memo } = description;
  const extended = Object.entries((memo?.[memos.iterations] ?? {}) as Partial<Record<TrainingStage, number>>);
  if (extended.length === 0) return input;
  const training = { ...input.configuration.training };
  for (const [stage, iterations] of extended as [TrainingStage, number][]) {
    // Each stage's type is the same.
    training[stage] = { ...training[stage], iterations };
  }
  return { ...input, configuration: { ...input.configuration, training } };
}

/** Goes on with those that are paused. @throws RunError where none is. */
async function resumeMembers(client: Client, run: string, handle: WorkflowHandle): Promise<void> {
  const members = await describeEach(client, await runningMembers(client, run, handle));
  const paused = members.filter(({ progress }) => isPaused(progress));
  if (paused.length === 0) throw new RunError('refused', `${run}: no run of it is paused.`);
  await Promise.all(paused.map((member) => resumeRun(client, member.run)));
}

const describeEach = (client: Client, runs: readonly string[]): Promise<RunDescription[]> =>
  Promise.all(runs.map((run) => describeRun(client, run)));

/** A step can be paused by itself. */
function isPaused(progress: RunProgress | null): boolean {
  return progress !== null && (progress.paused || progress.steps.some(({ state }) => state === 'paused'));
}

const endsAs: Readonly<Record<string, string>> = {
  COMPLETED: 'it is complete',
  FAILED: 'it has failed',
  CANCELLED: 'it was cancelled',
  TERMINATED: 'it was terminated',
};

/** @throws RunError `not-running` */
export function assertRunning(run: string, { status }: WorkflowExecutionDescription): void {
  if (status.name === 'RUNNING') return;
  throw new RunError(
    'not-running',
    `${run} is not running: ${endsAs[status.name] ?? `it is ${status.name.toLowerCase()}`}.`,
  );
}

async function steer(run: string, update: () => Promise<unknown>): Promise<void> {
  try {
    await update();
  } catch (cause) {
    if (!(cause instanceof WorkflowUpdateFailedError)) throw cause;
    // What the SDK wraps it in says nothing more.
    throw new RunError('refused', `${run}: ${cause.cause?.message ?? cause.message}`);
  }
}
