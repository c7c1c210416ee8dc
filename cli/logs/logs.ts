import { setTimeout as delay } from 'node:timers/promises';
import { listLogs, type AttemptLog } from '../../checkpoints/logs/readLogs.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { jsonLogLine, readableLogLine } from '../../text/logLine.js';
import { CommandError } from '../errors.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { requireRunName } from '../runName.js';
import { configurationOfRun } from '../store/ofRun.js';
import type { StoreOptions } from '../storeOptions.js';
import { print, printLine } from '../terminal/print.js';
import { localTime, styled } from '../terminal/terminal.js';
import { untilStopped } from '../terminal/untilStopped.js';

export interface LogsOptions extends StoreOptions {
  readonly run: string;
  readonly step: string | undefined;
  readonly attempt: number | undefined;
  readonly follow: boolean;
  readonly json: boolean;
}

/** Milliseconds from one look for new lines to the next. */
const lookInterval = 2000;

/** Prints what the processes of a run logged, from its object store. @returns the exit code. */
export async function logs(options: LogsOptions): Promise<ExitCode> {
  const { run, follow } = options;
  requireRunName(run);
  const store = openStore((await configurationOfRun(run, options)).storage);
  const printer = new LogPrinter(store, options);
  await untilStopped(async (signal) => {
    const found = await printer.printNews();
    if (found === 0 && !follow) throw new CommandError(await nothing(store, options), exitCodes.failed);
    while (follow) {
      await delay(lookInterval, undefined, { signal });
      await printer.printNews();
    }
  });
  return exitCodes.ok;
}

/** Prints each byte of the chosen logs once. */
class LogPrinter {
  private readonly printed = new Map<string, number>();
  /** The end of a line that has not come yet. */
  private rest = '';
  private current = '';

  constructor(
    private readonly store: ObjectStore,
    private readonly options: LogsOptions,
  ) {}

  /** @returns how many attempts there are to print. */
  async printNews(): Promise<number> {
    const { run, step, attempt } = this.options;
    const chosen = choose(await listLogs(this.store, run), step, attempt);
    for (const log of chosen) {
      for (const { key, size } of log.parts) {
        const from = this.printed.get(key) ?? 0;
        if (size <= from) continue;
        const { body } = await this.store.get(key);
        this.printed.set(key, body.byteLength);
        this.print(log, Buffer.from(body.subarray(from)).toString('utf8'));
      }
    }
    return chosen.length;
  }

  private print(log: AttemptLog, text: string): void {
    const { json } = this.options;
    const title = `${log.step}, attempt ${log.attempt}, from ${localTime(log.began)}`;
    if (title !== this.current) {
      this.rest = '';
      if (!json) print(styled('bold', title));
    }
    this.current = title;
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (json) printLine(jsonLogLine(line, { step: log.step, attempt: log.attempt }));
      else print(`  ${readableLogLine(line, 'in title')}`);
    }
  }
}

/** @param attempt from 1, or from -1 backwards. */
function choose(all: readonly AttemptLog[], step: string | undefined, attempt: number | undefined): AttemptLog[] {
  const ofStep = all.filter((log) => step === undefined || log.step === step);
  if (attempt === undefined) return ofStep;
  return ofStep.filter(({ step: name, attempt: number }) => {
    const count = ofStep.filter((log) => log.step === name).length;
    return number === (attempt < 0 ? count + 1 + attempt : attempt);
  });
}

async function nothing(store: ObjectStore, { run, step, attempt }: LogsOptions): Promise<string> {
  const there = await listLogs(store, run);
  const where = `${keys.logs(run)} in ${store.description}`;
  if (there.length === 0)
    return `There are no logs below ${where} yet: what a process logs is there within half a minute (--follow waits). Or the run has another store.`;
  const steps = [...new Set(there.map((log) => log.step))].map(
    (name) => `${name} (attempts: ${there.filter((log) => log.step === name).length})`,
  );
  const asked = [step, attempt === undefined ? undefined : `attempt ${attempt}`].filter((part) => part !== undefined);
  return `There is no log of ${asked.join(', ')} below ${where}; there are: ${steps.join(', ')}.`;
}
