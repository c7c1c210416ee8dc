import type { Client } from '@temporalio/client';
import { describeRun } from '../../client/runs/describeRun.js';
import { cancelRun, pauseRun, resumeRun } from '../../client/runs/runs.js';
import { terminateRun } from '../../client/runs/terminateRun.js';
import { retryRun } from '../../client/runs/retryRun.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { nextAttempt } from './watching/troubles.js';
import { printable } from '../../text/printable.js';
import { print, tell } from '../terminal/print.js';

/** Commands to a run; each gives what is then printed. */
const steerings = {
  /** Stops a run until it is unpaused. */
  async pause(client: Client, run: string): Promise<string> {
    const { status, progress } = await describeRun(client, run);
    // Whoever says it twice has what he wants.
    if (status !== 'RUNNING' || progress?.paused !== true) await pauseRun(client, run);
    return `${run} is paused: tempeh-flow unpause ${run} goes on.`;
  },

  /** Goes on with a paused run. */
  async unpause(client: Client, run: string): Promise<string> {
    const { status } = await describeRun(client, run);
    if (status !== 'RUNNING') {
      const todo = `tempeh-flow resume ${run} starts it again`;
      throw new CommandError(`${run} is not paused: it is ${status.toLowerCase()} (${todo}).`);
    }
    await resumeRun(client, run);
    return `${run} goes on.`;
  },

  /** Ends a run. */
  async cancel(client: Client, run: string): Promise<string> {
    await cancelRun(client, run);
    return `${run} is cancelled: tempeh-flow resume ${run} goes on from its last checkpoint.`;
  },

  /** Ends a run without its workers. */
  async terminate(client: Client, run: string): Promise<string> {
    await terminateRun(client, run);
    return `${run} is terminated; what trained stops, and saves if it can.`;
  },

  /** Tries at once what failed. */
  async retry(client: Client, run: string): Promise<string> {
    const retried = await retryRun(client, run);
    if (retried.kind === 'started') {
      return `${retried.workflowId} had failed; it is started again, and goes on with what is done.`;
    }
    const lines = [
      ...retried.now.map(({ type, workflowId, attempt }) => `${type} of ${workflowId}: attempt ${attempt} now.`),
      ...retried.others.map((activity) => {
        const { type, workflowId, attempt, state } = activity;
        const at = state === 'waiting' ? nextAttempt(activity, Date.now()) : state;
        return `${type} of ${workflowId}: attempt ${attempt} ${at}; left alone.`;
      }),
    ];
    return lines.length > 0 ? lines.join('\n') : `Nothing of ${run} waits to be tried again.`;
  },
} as const;

export type Steering = keyof typeof steerings;

/** Sends a run one command, and says what came of it. @returns the exit code. */
export async function steer(
  what: Steering,
  { run, ...connection }: ConnectionOptions & { readonly run: string },
): Promise<ExitCode> {
  // On standard error: it is no answer.
  const waiting = setTimeout(() => {
    const otherwise = what === 'cancel' ? `; tempeh-flow cancel ${run} --terminate does without` : '';
    const why = `what runs saves first; without a data worker that has its key nothing answers (tempeh-flow status ${run}${otherwise})`;
    process.stderr.write(
      `${run} was asked; waiting until it has answered: ${printable(why)}. Ctrl-C ends the waiting only.\n`,
    );
  }, 5000);
  const said = await withTemporal(connection, ({ client }) => steerings[what](client, run)).finally(() =>
    clearTimeout(waiting),
  );
  tell({ run });
  print(said);
  return exitCodes.ok;
}
