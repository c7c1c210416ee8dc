import { printableLines } from './printable.js';

/** A line of a log: what happened, when, and what it is about. Of an error it holds the message. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A line of JSON as a log's line; null for what is none, such as what a library printed. */
function parseLogLine(line: string): LogLine | null {
  if (!line.startsWith('{')) return null;
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const isLine = ['time', 'level', 'message'].every((name) => typeof fields[name] === 'string');
    return isLine ? (fields as LogLine) : null;
  } catch {
    return null;
  }
}

/** For programs, which read JSON line by line: what a library printed becomes a line's message. @param about beside it. */
export function jsonLogLine(line: string, about: Readonly<Record<string, unknown>>): string {
  return parseLogLine(line) === null ? JSON.stringify({ level: 'info', ...about, message: line }) : line;
}

/** What a reader of one process knows anyway. */
const leftOut = new Set(['time', 'level', 'message', 'error', 'host', 'workflowId', 'run', 'step', 'attempt']);

/** A line of JSON in human-readable form: `22:20:03 WARN  gpu  message: error  (name value, …)`; other lines as they are. */
export function readableLogLine(line: string): string {
  const fields = parseLogLine(line);
  if (fields === null) return printableLines(line);
  const { time, level, worker, message, error, run, step, attempt } = fields;
  const about = [run, step].filter((part) => typeof part === 'string').join('/');
  const details = Object.entries(fields)
    .filter(([name]) => !leftOut.has(name) && name !== 'worker')
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  if (attempt !== undefined) details.unshift(`attempt ${JSON.stringify(attempt)}`);
  const parts = [
    time.replace(/^.*T(\d\d:\d\d:\d\d).*$/, '$1'),
    level.toUpperCase().padEnd(5),
    typeof worker === 'string' ? worker : '',
    about,
    typeof error === 'string' ? `${message}: ${error}` : message,
    details.length > 0 ? `(${details.join(', ')})` : '',
  ];
  return printableLines(parts.filter((part) => part !== '').join('  '));
}
