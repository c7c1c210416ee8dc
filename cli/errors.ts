import { printableLines } from '../text/printable.js';
import { exitCodes, type ExitCode } from './exitCodes.js';

/** Thrown when a command cannot do what it was asked to: the message says why and what to do; no stack trace is shown. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: ExitCode = exitCodes.failed,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Thrown when the user stops what a command waits for. */
export class Interrupted extends CommandError {
  constructor(message = 'Interrupted.', options?: ErrorOptions) {
    super(message, exitCodes.interrupted, options);
  }
}

/** Codes of connections that were refused, not found, cut or timed out; gRPC's `UNAVAILABLE` and `DEADLINE_EXCEEDED`. */
const unreachable = new Set<unknown>(['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 14, 4]);

/** The exit code that an error of any kind means. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  // By name: their modules are not loaded unless a command needs them.
  const name = error instanceof Error ? error.name : '';
  if (name === 'ConfigurationError' || name === 'YError') return exitCodes.usage;
  if (name === 'AbortError') return exitCodes.interrupted;
  if (name === 'ServiceError' || causes(error).some((cause) => unreachable.has((cause as { code?: unknown }).code))) {
    return exitCodes.unreachable;
  }
  return exitCodes.failed;
}

/** What went wrong, human-readable: the message and those of its causes; with stack traces on demand. */
export function describeError(error: unknown, verbose: boolean): string {
  const chain = causes(error);
  if (verbose)
    return chain
      .map((cause) => printableLines(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)))
      .join('\ncaused by: ');
  const messages = chain.map((cause) => printableLines(messageOf(cause)));
  return messages
    .filter((message, i) => i === 0 || !messages.slice(0, i).some((earlier) => earlier.includes(message)))
    .join('\n  because: ');
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // A SetupError says apart what to do.
  const mend = 'mend' in cause ? ` ${String(cause.mend)}` : '';
  const { syscall, path } = cause as NodeJS.ErrnoException;
  if (syscall === 'mkdir') return `The folder ${path} cannot be made (${cause.message}). Name one that you may write.`;
  return `${cause.message || cause.name}${mend}`;
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let cause = error; cause !== undefined && cause !== null && chain.length < 8;) {
    chain.push(cause);
    cause = typeof cause === 'object' && 'cause' in cause ? cause.cause : undefined;
  }
  return chain;
}
