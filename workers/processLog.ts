import type { Logger } from 'pino';
import { openLog, type LogContext } from './logLines.js';

/** What an event of a trainer or predictor may hold; more is left out. */
interface ToldEvent {
  readonly kind: string;
  readonly message?: string;
  readonly fault?: string;
  readonly step?: number;
  readonly progress?: Readonly<Record<string, unknown>>;
  readonly checkpoint?: { readonly step: number } | null;
  readonly result?: Readonly<Record<string, unknown>>;
}

/** Milliseconds from one line about progress to the next. */
const progressInterval = 10_000;

/**
 * The log of a child process, on its standard output, which its worker keeps: a line an event that it reports, about the run,
 * step and attempt that `TEMPEH_LOG_CONTEXT` names.
 */
export class ProcessLog {
  private readonly log: Logger;
  private lastProgress = -Infinity;
  private lastLoss: unknown;

  constructor(
    environment: NodeJS.ProcessEnv = process.env,
    write: (line: string) => void = (line) => void process.stdout.write(line),
    private readonly now: () => number = () => performance.now(),
  ) {
    const context = JSON.parse(environment['TEMPEH_LOG_CONTEXT'] || '{}') as Partial<LogContext>;
    this.log = openLog({ worker: 'process', ...context }, write);
  }

  event(event: ToldEvent): void {
    const { kind, message, fault, step, progress, checkpoint, result } = event;
    if (kind === 'progress') this.progress(progress ?? {});
    else if (kind === 'checkpoint') this.log.info({ iteration: checkpoint?.step }, 'checkpoint saved');
    else if (kind === 'finished') this.log.info(result ?? {}, 'finished');
    else if (kind === 'stopped') this.log.info({ iteration: step, checkpoint: checkpoint?.step }, 'stopped as asked');
    else if (kind === 'failed') this.log.error({ fault }, message);
    else if (kind === 'warning' || kind === 'waiting') this.log.warn(message);
    else this.log.info(message ?? kind);
  }

  error(error: unknown, message: string): void {
    this.log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, message);
  }

  /** A line when there is a new loss, and not more than one in some seconds. */
  private progress({ step, totalSteps, stage: _, ...numbers }: Readonly<Record<string, unknown>>): void {
    const isNews = !('loss' in numbers) || numbers['loss'] !== this.lastLoss;
    if (!isNews || this.now() - this.lastProgress < progressInterval) return;
    this.lastProgress = this.now();
    this.lastLoss = numbers['loss'];
    this.log.info({ ...(step === undefined ? {} : { iteration: step, of: totalSteps }), ...numbers }, 'progress');
  }
}
