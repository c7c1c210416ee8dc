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

/** What TensorFlow prints whenever it starts. */
const tensorflowChatter =
  /^(I\d{4} |WARNING: All log messages before absl|To enable the following instructions)|TensorFlow binary is optimized/;

/** A line that is neither a warning nor an error: progress, a checkpoint, what is being done, TensorFlow's greeting. */
export function isMerelyInformation(line: string): boolean {
  if (tensorflowChatter.test(line)) return true;
  const level = parseLogLine(line)?.level;
  return level !== undefined && ['trace', 'debug', 'info'].includes(level);
}

/** What a reader of one process knows anyway. */
const leftOut = new Set(['time', 'level', 'message', 'error', 'host', 'workflowId', 'run', 'step', 'attempt']);

/**
 * A line of JSON in human-readable form: `11-29 22:20:03 WARN  gpu  message: error  (name value, …)`, in the time zone of this
 * machine; progress as a sentence; other lines as they are.
 *
 * @param about `'in title'`: run, step, attempt and process stand above the lines, and not in each.
 */
export function readableLogLine(line: string, about: 'in line' | 'in title' = 'in line'): string {
  const fields = parseLogLine(line);
  if (fields === null) return printableLines(line);
  const { time, level, worker, message, error, run, step, attempt } = fields;
  const isNamed = about === 'in line';
  const place = [run, step].filter((part) => typeof part === 'string').join('/');
  const progress = progressSentence(fields);
  const details = progress === null ? detailsOf(fields) : [];
  if (attempt !== undefined && isNamed) details.unshift(`attempt ${JSON.stringify(attempt)}`);
  const parts = [
    stamp(time),
    level.toUpperCase().padEnd(5),
    isNamed && typeof worker === 'string' ? worker : '',
    isNamed ? place : '',
    progress ?? (typeof error === 'string' ? `${message}: ${error}` : message),
    details.length > 0 ? `(${details.join(', ')})` : '',
  ];
  return printableLines(parts.filter((part) => part !== '').join('  '));
}

/** What else the line holds. Lists and objects are for programs. */
function detailsOf(fields: LogLine): string[] {
  return Object.entries(fields)
    .filter(([name, value]) => !leftOut.has(name) && name !== 'worker' && value !== null && typeof value !== 'object')
    .map(([name, value]) => `${name} ${typeof value === 'number' ? short(value) : String(value)}`);
}

/** `step 1162 of 2900, loss 17.92, 12.8 steps/s, checkpoint 895`; null for lines that are not about a stage's progress. */
function progressSentence(fields: LogLine): string | null {
  const { message, iteration, of, loss, stepsPerSecond, checkpointStep, skippedBatches } = fields;
  if (message !== 'progress' || typeof iteration !== 'number' || typeof of !== 'number') return null;
  const isPositive = (value: unknown): value is number => typeof value === 'number' && value > 0;
  return [
    `step ${iteration} of ${of}`,
    typeof loss === 'number' ? `loss ${loss.toPrecision(4)}` : '',
    isPositive(stepsPerSecond) ? `${stepsPerSecond.toPrecision(3)} steps/s` : '',
    isPositive(checkpointStep) ? `checkpoint ${checkpointStep}` : '',
    isPositive(skippedBatches) ? `${skippedBatches} skipped batches` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));

/** `11-29 22:20:03`: runs take weeks, and whoever reads looks at the clock of this machine. */
function stamp(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}
