import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { withLock } from '../setup/lock.mjs';
import { ServiceError } from './errors.js';
import { type GuardedProcess, killGroup, startGuarded } from './guarded.js';
import { choosePorts } from './ports.js';
import { identify, isRunning, type ProcessIdentity } from './processIdentity.js';
import { readState, removeState, writeState } from './stateFile.js';

const healthPause = 50;
const portAttempts = 3;
const largestLog = 10_000_000;

/** How to run one kind of service. */
export interface ServiceDefinition {
  /** Human-readable, and the name of its log file: `temporal`. */
  readonly name: string;
  /** Belongs to this service alone: its data, log and state. Made where it is missing. */
  readonly directory: string;
  /** Preferred ports; 0 for any. Others are taken where these are in use. */
  readonly ports: readonly number[];
  /** Ports that this process listens on for the service already. */
  readonly heldPorts?: readonly number[];
  /** Seconds between SIGTERM and SIGKILL. */
  readonly graceSeconds: number;
  /** Seconds until it must be healthy. */
  readonly startSeconds: number;
  /** @param ports those chosen, then those held. */
  command(ports: readonly number[]): {
    program: string;
    arguments: string[];
    environment: Record<string, string | undefined>;
  };
  /** Whether it serves; why not yet is thrown or returned as text. */
  checkHealth(ports: readonly number[]): Promise<true | string>;
}

/** A service that runs, and is healthy when one gets this. */
export interface RunningService {
  readonly ports: readonly number[];
  readonly logFile: string;
  /** Process id of the leader of its process group. */
  readonly pid: number;
  /** True if another process had started it in this directory: it is left alone by `stop`, and ends with that process. */
  readonly reused: boolean;
  /** Fulfilled when the service has ended, asked to or not. */
  readonly ended: Promise<void>;
  /** Ends the service and waits until it is gone. To be called any number of times. */
  stop(): Promise<void>;
}

/**
 * Starts a service, or finds the one that already runs in its directory.
 *
 * @throws ServiceError it does not become healthy; the message holds the end of its log
 */
export async function startService(definition: ServiceDefinition): Promise<RunningService> {
  const { directory } = definition;
  makeFolderSync(directory, { mode: 0o700 });
  const logFile = path.join(directory, `${definition.name}.log`);
  return withLock(
    path.resolve(directory),
    () => undefined,
    async () => {
      const found = await findRunning(definition, logFile);
      if (found) return found;
      if (existsSync(logFile) && statSync(logFile).size > largestLog) renameSync(logFile, `${logFile}.1`);
      for (let attempt = 1; ; attempt += 1) {
        const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
        const chosen = await choosePorts(attempt === 1 ? definition.ports : definition.ports.map(() => 0));
        const ports = [...chosen, ...(definition.heldPorts ?? [])];
        const child = await startGuarded({ ...definition.command(ports), ...definition, logFile });
        const owner = identify(process.pid) ?? { pid: process.pid, startTime: '' };
        writeState(directory, { service: child.identity, owner, ports });
        try {
          await waitUntilHealthy(definition, ports, child, logFile, logStart);
          return ownService(definition, ports, child, logFile);
        } catch (error) {
          await child.stop();
          removeState(directory);
          // Somebody took the port between our look and the service's.
          const raced = /address already in use/i.test(logSince(logFile, logStart));
          if (!raced || attempt === portAttempts) throw error;
        }
      }
    },
  );
}

/** The service that runs in this directory already; one whose owner is gone is ended first. */
async function findRunning(definition: ServiceDefinition, logFile: string): Promise<RunningService | undefined> {
  const state = readState(definition.directory);
  if (!state || !isRunning(state.service)) return undefined;
  if (isRunning(state.owner)) {
    await waitUntilHealthy(definition, state.ports, undefined, logFile, 0);
    return {
      ports: state.ports,
      logFile,
      pid: state.service.pid,
      reused: true,
      ended: goneOf(state.service),
      stop: () => Promise.resolve(),
    };
  }
  // Its guardian has noticed, and gives it its grace: two services must not open the same data.
  const deadline = Date.now() + (definition.graceSeconds + 2) * 1000;
  while (isRunning(state.service) && Date.now() < deadline) await sleep(healthPause);
  if (isRunning(state.service)) killGroup(state.service.pid);
  removeState(definition.directory);
  return undefined;
}

function ownService(
  definition: ServiceDefinition,
  ports: readonly number[],
  child: GuardedProcess,
  logFile: string,
): RunningService {
  return {
    ports,
    logFile,
    pid: child.identity.pid,
    reused: false,
    ended: child.ended.then(() => undefined),
    stop: async () => {
      await child.stop();
      if (readState(definition.directory)?.service.startTime === child.identity.startTime) {
        removeState(definition.directory);
      }
    },
  };
}

async function waitUntilHealthy(
  definition: ServiceDefinition,
  ports: readonly number[],
  child: GuardedProcess | undefined,
  logFile: string,
  logStart: number,
): Promise<void> {
  const deadline = Date.now() + definition.startSeconds * 1000;
  let ended: number | string | undefined;
  void child?.ended.then((how) => (ended = how));
  for (;;) {
    const health = await definition.checkHealth(ports).catch((error: unknown) => String(error));
    if (health === true) return;
    const about = `${definition.name} on ${ports.map((port) => `port ${port}`).join(', ')}`;
    const tail = `Its log, ${logFile}, ends with:\n${logTail(logFile, logStart)}`;
    if (ended !== undefined) throw new ServiceError(`${about} ended with ${ended} while starting. ${tail}`, logFile);
    if (Date.now() > deadline) {
      const waited = `did not become healthy within ${definition.startSeconds} s (${health})`;
      throw new ServiceError(`${about} ${waited}. ${tail}`, logFile);
    }
    await sleep(healthPause);
  }
}

async function goneOf(service: ProcessIdentity): Promise<void> {
  while (isRunning(service)) await sleep(500, undefined, { ref: false });
}

/** The last lines of a log, of what was written since it had `start` bytes. */
function logTail(logFile: string, start: number): string {
  return logSince(logFile, start).split('\n').slice(-12).join('\n').slice(-4000) || '(empty)';
}

/** What was written to a log since it had `start` bytes: a reason may stand far above the trace that follows it. */
function logSince(logFile: string, start: number): string {
  return existsSync(logFile) ? readFileSync(logFile).subarray(start).toString('utf8').trim() : '';
}
