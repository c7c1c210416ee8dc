import { lostReason, type AttemptSaid } from '../../checkpoints/logs/attemptLines.js';
import { listLogs, type AttemptLog } from '../../checkpoints/logs/readLogs.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';

/** Attempts whose logs are read, the last ones, and of each so many parts: a run of months has gigabytes. */
const mostAttempts = 60;
const mostParts = 4;
const mostWarnings = 30;

/** What trainers, predictors and their workers warned of. */
export interface LoggedWarning {
  readonly step: string;
  readonly message: string;
  /** How often it was said. */
  readonly times: number;
  /** ISO 8601, the last time. */
  readonly at: string;
}

/** An attempt at a step, as its log has it. */
export interface LoggedAttempt {
  readonly step: string;
  /** From 1, as `tempeh-flow logs` counts. */
  readonly number: number;
  /** Seconds since 1970. */
  readonly from: number;
  /** Human-readable; null in logs of earlier versions. */
  readonly worker: string | null;
  /** Why it ended; null of one that runs, or whose log does not say. */
  readonly end: string | null;
}

/** What the logs of a run tell of it. */
export interface Logged {
  /** Each once, the newest last. */
  readonly warnings: readonly LoggedWarning[];
  /** The last ones, in the order in which they began. */
  readonly attempts: readonly LoggedAttempt[];
}

/** Reads the logs of a run's last attempts: their beginnings and their ends. */
export async function readLogged(store: ObjectStore, run: string, signal?: AbortSignal): Promise<Logged> {
  const warnings = new Map<string, LoggedWarning>();
  const attempts: LoggedAttempt[] = [];
  for (const log of (await listLogs(store, run)).slice(-mostAttempts)) {
    const { step } = log;
    let worker: string | null = null;
    let end: string | null = null;
    for (const line of await linesOf(store, log, signal)) {
      if (typeof line.attemptOn === 'string') worker = line.attemptOn;
      if (typeof line.attemptEnd === 'string') end = line.attemptEnd;
      const { level, message, time } = line;
      if (level !== 'warn' || typeof message !== 'string' || typeof time !== 'string') continue;
      const name = `${step} ${message}`;
      const times = (warnings.get(name)?.times ?? 0) + 1;
      warnings.delete(name);
      warnings.set(name, { step, message, times, at: time });
    }
    attempts.push({ step, number: log.attempt, from: log.began.getTime() / 1000, worker, end });
  }
  return { warnings: [...warnings.values()].slice(-mostWarnings), attempts: attempts.map(closed) };
}

/** One that did not say that it ended, though another followed it, was lost with its worker. */
function closed(attempt: LoggedAttempt, _: number, all: readonly LoggedAttempt[]): LoggedAttempt {
  const isLost = attempt.end === null && attempt.worker !== null;
  const hasNext = all.some(({ step, from }) => step === attempt.step && from > attempt.from);
  return isLost && hasNext ? { ...attempt, end: lostReason } : attempt;
}

interface Line extends AttemptSaid {
  readonly level?: unknown;
  readonly message?: unknown;
  readonly time?: unknown;
}

/** Lines that a process warned in, or that are about the attempt itself. */
const isRead = /"level":"warn"|"attemptOn":|"attemptEnd":/;

async function linesOf(store: ObjectStore, { parts }: AttemptLog, signal: AbortSignal | undefined): Promise<Line[]> {
  const read = parts.length <= mostParts ? parts : [parts[0]!, ...parts.slice(1 - mostParts)];
  const lines: Line[] = [];
  for (const { key } of read) {
    signal?.throwIfAborted();
    lines.push(...(await partLines(store, key)));
  }
  return lines;
}

async function partLines(store: ObjectStore, key: string): Promise<Line[]> {
  try {
    const { body } = await store.get(key);
    const lines = Buffer.from(body).toString('utf8').split('\n');
    return lines.flatMap((line) => (isRead.test(line) ? parsed(line) : []));
  } catch (error) {
    // The open part is replaced as it grows; a log that cannot be read is no reason to have no report.
    if (error instanceof ObjectNotFound) return [];
    throw error;
  }
}

function parsed(line: string): Line[] {
  try {
    return [JSON.parse(line) as Line];
  } catch {
    // A line that an upload cut.
    return [];
  }
}
