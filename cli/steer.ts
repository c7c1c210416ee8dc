import { configurationChanges, describeChanges, refuseFixedChanges } from '../configs/changes.js';
import { loadConfiguration, resolveConfiguration } from '../configs/load.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import { describeRun } from '../workers/describeRun.js';
import { cancelRun, configurationOf, pauseRun, resumeRun } from '../workers/runs.js';
import { retryRun } from '../workers/retryRun.js';
import { withTemporal, type Connected, type ConnectionOptions } from './connection.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { nextAttempt } from './progressLines.js';
import { followToEnd } from './status.js';

type Steering = ConnectionOptions & { readonly run: string };

/** Goes on with a run. @returns the exit code. */
export async function resume(
  options: Steering & {
    readonly config: string | undefined;
    readonly set: readonly string[];
    readonly follow: boolean;
  },
): Promise<number> {
  const { run } = options;
  return withTemporal(options, async (connected) => {
    const configuration = await editedConfiguration(connected.client, options);
    const workflowId = await resumeRun(connected.client, run, configuration);
    const page = connected.pageOf(workflowId);
    process.stdout.write(`${run} goes on.\n${page === null ? '' : `  ${page}\n`}`);
    return options.follow ? followToEnd(connected, run) : exitCodes.ok;
  });
}

/**
 * What a run is to go on with: a file, or overrides of what it had; undefined where neither is asked for. Tells what
 * differs.
 *
 * @throws ConfigurationError when a run that has trained cannot change a setting.
 */
async function editedConfiguration(
  client: Connected['client'],
  { run, config, set }: { readonly run: string; readonly config: string | undefined; readonly set: readonly string[] },
): Promise<RunConfiguration | undefined> {
  if (config === undefined && set.length === 0) return undefined;
  const before = await configurationOf(client, run);
  const after =
    config === undefined
      ? resolveConfiguration(JSON.stringify(before), `the configuration of ${run}`, set)
      : await loadConfiguration(config, set);
  const changes = configurationChanges(before, after);
  const { progress } = await describeRun(client, run);
  if (progress?.training) refuseFixedChanges(run, changes);
  const lines = describeChanges(changes).map((line) => `  ${line}\n`);
  process.stdout.write(lines.length > 0 ? `Changed settings:\n${lines.join('')}` : 'No setting differs.\n');
  return after;
}

/** Goes on with a paused run. @returns the exit code. */
export async function unpause({ run, ...connection }: Steering): Promise<number> {
  await withTemporal(connection, async ({ client }) => {
    const { status } = await describeRun(client, run);
    if (status !== 'RUNNING') {
      throw new CommandError(
        `${run} is not paused: it is ${status.toLowerCase()} (tempeh-flow resume ${run} starts it again).`,
      );
    }
    await resumeRun(client, run);
  });
  process.stdout.write(`${run} goes on.\n`);
  return exitCodes.ok;
}

/** Stops a run until it is unpaused. @returns the exit code. */
export async function pause({ run, ...connection }: Steering): Promise<number> {
  await withTemporal(connection, ({ client }) => pauseRun(client, run));
  process.stdout.write(`${run} is paused: tempeh-flow unpause ${run} goes on.\n`);
  return exitCodes.ok;
}

/** Tries at once what failed. @returns the exit code. */
export async function retry({ run, ...connection }: Steering): Promise<number> {
  const retried = await withTemporal(connection, ({ client }) => retryRun(client, run));
  const lines =
    retried.kind === 'started'
      ? [`${retried.workflowId} had failed; it is started again, and goes on with what is done.`]
      : [
          ...retried.now.map(({ type, workflowId, attempt }) => `${type} of ${workflowId}: attempt ${attempt} now.`),
          ...retried.others.map((activity) => {
            const { type, workflowId, attempt, state } = activity;
            const at = state === 'waiting' ? nextAttempt(activity, Date.now()) : state;
            return `${type} of ${workflowId}: attempt ${attempt} ${at}; left alone.`;
          }),
        ];
  process.stdout.write(`${lines.length > 0 ? lines.join('\n') : `Nothing of ${run} waits to be tried again.`}\n`);
  return exitCodes.ok;
}

/** Ends a run. @returns the exit code. */
export async function cancel({ run, ...connection }: Steering): Promise<number> {
  await withTemporal(connection, ({ client }) => cancelRun(client, run));
  process.stdout.write(`${run} is cancelled: tempeh-flow resume ${run} goes on from its last checkpoint.\n`);
  return exitCodes.ok;
}
