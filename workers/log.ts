import { printableLines } from '../text/printable.js';
import type { LogLevel, LogMetadata, Logger } from '@temporalio/worker';

const severity: Readonly<Record<LogLevel, number>> = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4 };

/** What of the SDK's metadata helps a reader; the rest is left out, payloads and tokens among it. */
const kept = ['workflowId', 'workflowType', 'activityType', 'attempt', 'taskQueue', 'state', 'durationMs', 'process'];

/** Lines of JSON, one an event: `{"time":…,"level":…,"worker":…,"message":…}`. */
export class LineLogger implements Logger {
  /**
   * @param worker the name of the process, in every line.
   * @param write is given whole lines.
   */
  constructor(
    private readonly worker: string,
    private readonly write: (line: string) => void = (line) => void process.stderr.write(line),
    private readonly level: LogLevel = 'INFO',
  ) {}

  /** The same, for warnings and errors only. */
  quiet(): LineLogger {
    return new LineLogger(this.worker, this.write, 'WARN');
  }

  log(from: LogLevel, message: string, meta: LogMetadata = {}): void {
    const level = levelOf(from, message, meta);
    if (severity[level] < severity[this.level]) return;
    const details = Object.entries(meta).filter(([name]) => kept.includes(name));
    const line = {
      time: new Date().toISOString(),
      level: level.toLowerCase(),
      worker: this.worker,
      message,
      ...Object.fromEntries(details),
      ...errorOf(meta),
    };
    this.write(`${printableLines(JSON.stringify(line))}\n`);
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

/** What the SDK tells of itself is for its makers; that an activity began or ended is for whoever runs the worker. */
function levelOf(level: LogLevel, message: string, { sdkComponent }: LogMetadata): LogLevel {
  if (sdkComponent !== 'worker') return level;
  if (level === 'DEBUG' && /^Activity (started|completed|failed|paused|reset)/.test(message)) return 'INFO';
  return level === 'INFO' || /^No (workflows|activities) registered/.test(message) ? 'DEBUG' : level;
}

function errorOf(meta: LogMetadata): { error?: string } {
  const error = (meta['error'] ?? meta['err']) as unknown;
  if (error === undefined) return {};
  return { error: error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error) };
}
