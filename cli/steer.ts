import { loadConfiguration } from '../configs/load.js';
import { describeRun } from '../workers/describeRun.js';
import { cancelRun, pauseRun, resumeRun } from '../workers/runs.js';
import { withTemporal, type ConnectionOptions } from './connection.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';
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
  const { run, config, set } = options;
  if (config === undefined && set.length > 0) {
    throw new CommandError('--set changes a configuration file: name it with --config.', exitCodes.usage);
  }
  const configuration = config === undefined ? undefined : await loadConfiguration(config, set);
  return withTemporal(options, async (connected) => {
    const workflowId = await resumeRun(connected.client, run, configuration);
    const page = connected.pageOf(workflowId);
    process.stdout.write(`${run} goes on.\n${page === null ? '' : `  ${page}\n`}`);
    return options.follow ? followToEnd(connected, run) : exitCodes.ok;
  });
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

/** Ends a run. @returns the exit code. */
export async function cancel({ run, ...connection }: Steering): Promise<number> {
  await withTemporal(connection, ({ client }) => cancelRun(client, run));
  process.stdout.write(`${run} is cancelled: tempeh-flow resume ${run} goes on from its last checkpoint.\n`);
  return exitCodes.ok;
}
