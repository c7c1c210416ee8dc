import { listLogs } from '../../checkpoints/logs/readLogs.js';
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

/** The warnings of a run's last attempts, each once, the newest last. */
export async function readWarnings(store: ObjectStore, run: string, signal?: AbortSignal): Promise<LoggedWarning[]> {
  const found = new Map<string, LoggedWarning>();
  for (const { step, parts } of (await listLogs(store, run)).slice(-mostAttempts)) {
    const read = parts.length <= mostParts ? parts : [parts[0]!, ...parts.slice(1 - mostParts)];
    for (const { key } of read) {
      signal?.throwIfAborted();
      for (const { message, time } of await warningsOf(store, key)) {
        const name = `${step} ${message}`;
        const times = (found.get(name)?.times ?? 0) + 1;
        found.delete(name);
        found.set(name, { step, message, times, at: time });
      }
    }
  }
  return [...found.values()].slice(-mostWarnings);
}

async function warningsOf(store: ObjectStore, key: string): Promise<{ message: string; time: string }[]> {
  try {
    const { body } = await store.get(key);
    const lines = Buffer.from(body).toString('utf8').split('\n');
    return lines.flatMap((line) => (line.includes('"level":"warn"') ? warningOf(line) : []));
  } catch (error) {
    // The open part is replaced as it grows; a log that cannot be read is no reason to have no report.
    if (error instanceof ObjectNotFound) return [];
    throw error;
  }
}

function warningOf(line: string): { message: string; time: string }[] {
  try {
    const { message, time } = JSON.parse(line) as { message?: unknown; time?: unknown };
    return typeof message === 'string' && typeof time === 'string' ? [{ message, time }] : [];
  } catch {
    // A line that an upload cut.
    return [];
  }
}
