import { isDeepStrictEqual } from 'node:util';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { workflowTypes } from '../../configs/temporal.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { FullTrainingInput, FullTrainingResult, SeriesInput } from '../../workflows/types.js';
import { RunError } from '../connection/client.js';
import { startWorkflow } from '../startWorkflow.js';
import { beforeRun } from './attempts.js';
import { findRunIfKnown } from './findRun.js';
import { isSeries, querySeries } from './seriesProgress.js';
import { inputOf } from './workflowInput.js';

/**
 * Starts a series of runs, or starts it again: what the object store has of its runs is not done twice.
 *
 * @returns the workflow's id, which is the series' name.
 * @throws RunError `already-running`; `refused` where a run has the series' name.
 */
export async function startSeries(client: Client, { run, kind, members }: SeriesInput): Promise<string> {
  await refuseRun(client, run);
  const [first] = members;
  if (first === undefined) throw new RunError('refused', `${run} has no runs.`);
  const prepared = await Promise.all(
    members.map(async (member) => {
      const { steps, configuration } = member;
      const done = await completed(client, member);
      if (done !== null) return { ...member, done };
      const before = await beforeRun(client, member.run, configuration, steps === undefined ? {} : { steps });
      return { ...member, ...before };
    }),
  );
  await startWorkflow(client, {
    type: workflowTypes.series,
    workflowId: run,
    run,
    input: { run, kind, members: prepared } satisfies SeriesInput,
    summary: `series of ${members.length} runs: ${members.map(({ label }) => label).join(', ')}`,
    dataset: first.configuration.dataset.name,
    scheduling: first.configuration.scheduling,
  });
  return run;
}

/** What a run came to that is complete with the very configuration and steps; null: it is to be started. */
async function completed(
  client: Client,
  { run, configuration, steps }: SeriesInput['members'][number],
): Promise<SeriesInput['members'][number]['done'] | null> {
  const found = await findRunIfKnown(client, run);
  if (found === null) return null;
  const { handle, description, step } = found;
  if (step !== null || description.status.name !== 'COMPLETED') return null;
  const before = await inputOf<FullTrainingInput>(client, description);
  if (!isSame([before.configuration, before.steps ?? null], [configuration, steps ?? null])) return null;
  const { evaluation } = (await handle.result()) as FullTrainingResult;
  return { evaluation };
}

/** Whatever the order of their fields. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}

/** @throws RunError */
async function refuseRun(client: Client, name: string): Promise<void> {
  const found = await findRunIfKnown(client, name);
  if (found === null || isSeries(found.description)) return;
  throw new RunError('refused', `${name} is the name of a run: give the series another.`);
}

/** Each run with the configuration that it has by now: one may have been extended, or resumed with another, by itself. */
export async function refreshed(
  input: SeriesInput,
  current: (run: string) => Promise<RunConfiguration>,
): Promise<SeriesInput> {
  const members = await Promise.all(
    input.members.map(async (member) => {
      try {
        return { ...member, configuration: await current(member.run) };
      } catch (error) {
        // It has not been started yet.
        if (error instanceof RunError && error.reason === 'not-found') return member;
        throw error;
      }
    }),
  );
  return { ...input, members };
}

/** The runs of a series that have been started and have not ended. @throws RunError where no data worker says which. */
export async function runningMembers(client: Client, series: string, handle: WorkflowHandle): Promise<string[]> {
  const progress = await querySeries(client, handle);
  if (progress === null) {
    const todo = 'start one (tempeh-flow worker data), or name the runs themselves';
    throw new RunError('refused', `No data worker says which runs of ${series} are running: ${todo}.`);
  }
  const running: string[] = [];
  for (const { run, state } of progress.members) {
    if (state !== 'running') continue;
    // One that is not known yet is just being prepared.
    const found = await findRunIfKnown(client, run);
    if (found?.description.status.name === 'RUNNING') running.push(run);
  }
  return running;
}
