import { hostname } from 'node:os';
import { pino, type Level, type Logger } from 'pino';
import { readableLogLine } from '../text/logLine.js';
import { printableLines } from '../text/printable.js';

/** Levels that `TEMPEH_LOG_LEVEL` may name; what is below it is left out. */
const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const satisfies readonly Level[];
export type LogLevelName = (typeof logLevels)[number];

/** What every line of a log says beside its event. */
export interface LogContext {
  /** The process: `data`, `gpu`, `trainer`, `predictor`. */
  readonly worker: string;
  readonly run?: string;
  readonly step?: string;
  readonly attempt?: number;
}

/** Fields that no line shows, wherever they stand in what was logged. */
const secretFields = ['password', 'token', 'taskToken', 'apiKey', 'secretAccessKey', 'sessionToken', 'authorization'];
const secretVariable = /(SECRET|PASSWORD|TOKEN|API_KEY|PAYLOAD_KEYS|OTLP_(TRACES_)?HEADERS)/;
/** Shorter ones would hide ordinary words. */
const shortestSecret = 6;

/**
 * The level that a process logs at.
 *
 * @throws Error naming the variable, for a level that does not exist.
 */
export function logLevel(environment: NodeJS.ProcessEnv = process.env): LogLevelName {
  const given = environment['TEMPEH_LOG_LEVEL'] || 'info';
  const level = logLevels.find((name) => name === given.toLowerCase());
  if (level === undefined) throw new Error(`TEMPEH_LOG_LEVEL is "${given}"; expected one of ${logLevels.join(', ')}.`);
  return level;
}

/**
 * A log of one line of JSON an event: `{"level":…,"time":…,"worker":…,"host":…,"message":…}`. Control characters are
 * escaped, and the values of this process's secrets never appear, whatever message a library put them into.
 *
 * @param write is given whole lines.
 */
export function openLog(context: LogContext, write: (line: string) => void, level: LogLevelName = logLevel()): Logger {
  const hide = secretHider(process.env);
  return pino(
    {
      level,
      base: { ...context, host: hostname() },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    { write: (line) => write(`${printableLines(hide(line.trimEnd()))}\n`) },
  );
}

/** Writes lines to standard error: readable on a terminal, as JSON elsewhere. */
export function writeToStandardError(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `${readableLogLine(line.trimEnd())}\n` : line);
}

/** Replaces the values of variables that hold secrets, and passwords in addresses. */
function secretHider(environment: NodeJS.ProcessEnv): (text: string) => string {
  const secrets = Object.entries(environment)
    .filter(([name, value]) => secretVariable.test(name) && !/_(FILE|PATH)$/.test(name) && value !== undefined)
    .map(([, value]) => value!)
    .filter((value) => value.length >= shortestSecret);
  return (text) => {
    let hidden = text.replace(/(\w:\/\/[^\s/:@"]+:)[^\s/@"]+@/g, '$1[secret]@');
    for (const secret of secrets) hidden = hidden.replaceAll(secret, '[secret]');
    return hidden;
  };
}
