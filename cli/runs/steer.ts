import { describeRun } from '../../client/describeRun.js';
import { cancelRun, pauseRun, resumeRun } from '../../client/runs.js';
import { retryRun } from '../../client/retryRun.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { nextAttempt } from './progressLines.js';

type Steering = ConnectionOptions & { readonly run: string };

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
