import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from './errors.js';
import { identify, type ProcessIdentity } from './processIdentity.js';

/**
 * Stands between us and a program, and ends it when we are gone, however we went: SIGKILL included.
 *
 * File descriptor 3 is a pipe that nobody ever writes to; reading from it returns when the other end closes, which the
 * kernel does at our death. `$1` is the grace in seconds between SIGTERM and SIGKILL, the rest is the program.
 */
const guardian = `
grace=$1; shift
"$@" 3<&- &
program=$!
trap 'kill -TERM "$program" 2>/dev/null' TERM
(
  trap - TERM
  read -r _ <&3
  kill -TERM "$program" || exit
  waited=0
  while kill -0 "$program" && [ "$waited" -lt "$grace" ]; do sleep 1; waited=$((waited + 1)); done
  kill -KILL "$program"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
while :; do
  wait "$program"; code=$?
  kill -0 "$program" 2>/dev/null || break
done
kill -KILL "$watcher" 2>/dev/null
exit "$code"
`;

/** Seconds in which a process that was killed is gone, unless the kernel holds it. */
const killedSeconds = 10;

export interface GuardedOptions {
  readonly program: string;
  readonly arguments: readonly string[];
  /** The program's whole environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Gets what the program prints, after what is in it already. */
  readonly logFile: string;
  /** Seconds that the program has after SIGTERM. */
  readonly graceSeconds: number;
}

/** A program in a process group of its own (so that Ctrl-C in the terminal reaches us alone), which dies with us. */
export interface GuardedProcess {
  /** The leader of the process group. */
  readonly identity: ProcessIdentity;
  /** Fulfilled when the program has ended, with its exit code or the name of the signal. */
  readonly ended: Promise<number | string>;
  /**
   * Ends the program with SIGTERM, after the grace with SIGKILL; fulfilled when it is gone.
   *
   * @throws ServiceError where not even that ends it: it hangs in the kernel, on a disk that does not answer
   */
  stop(): Promise<void>;
}

/** Starts a program that cannot outlive this process. @throws ServiceError it cannot be started */
export async function startGuarded(options: GuardedOptions): Promise<GuardedProcess> {
  const log = openSync(options.logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    const command = ['-c', guardian, 'guardian', String(options.graceSeconds), options.program, ...options.arguments];
    child = spawn('/bin/sh', command, {
      cwd: options.directory,
      env: { ...options.environment },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
  } finally {
    closeSync(log);
  }
  const pipe = child.stdio[3] as Socket | null;
  pipe?.on('error', () => undefined);
  pipe?.unref();
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
  });
  ended.catch(() => undefined);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (!identity) {
    const reason: unknown = await ended.catch((error: unknown) => error);
    throw new ServiceError(`${options.program} could not be started: ${String(reason)}.`, options.logFile);
  }
  const stop = async (): Promise<void> => {
    // The process group may hold what the program started: it is gone only when all of that is.
    child.kill('SIGTERM');
    const gone = await Promise.race([
      ended.then(() => true),
      sleep(options.graceSeconds * 1000, false, { ref: false }),
    ]);
    if (!gone) killGroup(identity.pid);
    const dead = await Promise.race([ended.then(() => true), sleep(killedSeconds * 1000, false, { ref: false })]);
    killGroup(identity.pid);
    pipe?.destroy();
    if (dead) return;
    child.unref();
    throw new ServiceError(
      `${options.program} (process ${identity.pid}) does not end, though it was killed: is a disk away?`,
      options.logFile,
    );
  };
  let stopping: Promise<void> | undefined;
  return { identity, ended, stop: () => (stopping ??= stop()) };
}

/** Kills all of a process group, if there is one. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
