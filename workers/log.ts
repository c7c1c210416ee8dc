import type { LogLevel, LogMetadata, Logger } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';
import { logLevel, openLog, writeToStandardError, type LogLevelName } from './logLines.js';

/** What of the SDK's metadata helps a reader; the rest is left out, payloads and tokens among it. */
const kept = ['workflowId', 'workflowType', 'activityType', 'attempt', 'taskQueue', 'state', 'durationMs', 'process'];

/** A worker's log, as Temporal's SDK writes to it: lines of JSON, one an event (logLines.ts). */
export class LineLogger implements Logger {
  private readonly pino: PinoLogger;

  /**
   * @param worker the name of the process, in every line.
   * @param write is given whole lines.
   */
  constructor(
    private readonly worker: string,
    private readonly write: (line: string) => void = writeToStandardError,
    level: LogLevel | LogLevelName = logLevel(),
  ) {
    this.pino = openLog({ worker }, write, level.toLowerCase() as LogLevelName);
  }

  /** The same, for warnings and errors only. */
  quiet(): LineLogger {
    return new LineLogger(this.worker, this.write, 'warn');
  }

  log(from: LogLevel, message: string, meta: LogMetadata = {}): void {
    const details = Object.fromEntries(Object.entries(meta).filter(([name]) => kept.includes(name)));
    this.pino[levelOf(from, message, meta)]({ ...placeOf(meta), ...details, ...errorOf(meta) }, message);
  }

  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }
  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }
  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }
  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }
  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}

/** Run and step, of a workflow's id (`RUN/STEP`, or `RUN`). */
function placeOf({ workflowId }: LogMetadata): { run?: string; step?: string } {
  if (typeof workflowId !== 'string') return {};
  const [run, step] = workflowId.split('/');
  return { ...(run === undefined ? {} : { run }), ...(step === undefined ? {} : { step }) };
}

/** The SDK's lines about itself are for its developers; that an activity began or ended is for the worker's operator. */
function levelOf(from: LogLevel, message: string, { sdkComponent }: LogMetadata): LogLevelName {
  const level = from.toLowerCase() as LogLevelName;
  if (sdkComponent !== 'worker') return level;
  if (level === 'debug' && /^Activity (started|completed|failed|paused|reset)/.test(message)) return 'info';
  return level === 'info' || /^No (workflows|activities) registered/.test(message) ? 'debug' : level;
}

function errorOf(meta: LogMetadata): { error?: string } {
  const error = (meta['error'] ?? meta['err']) as unknown;
  if (error === undefined) return {};
  return { error: error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error) };
}
