import { exitCodes } from '../exitCodes.js';
import { killDescendants } from './processTree.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C may arrive twice: from the terminal, and passed on by npm. */
const sameKeyPressMilliseconds = 700;

export interface Stopping {
  /** Aborted when the user wants to stop, or the shell that started us is gone. */
  readonly signal: AbortSignal;
  /** Back to the usual handling of signals. */
  release(): void;
}

/**
 * Ctrl-C (SIGTERM, SIGHUP) asks for an orderly end; once more, and everything that we started is killed at once.
 *
 * @param onStop called when the orderly end begins.
 */
export function stopOnSignals(onStop: () => void): Stopping {
  const controller = new AbortController();
  const parent = process.ppid;
  let askedAt = 0;
  const ask = (): void => {
    if (askedAt === 0) {
      askedAt = Date.now();
      controller.abort(new DOMException('stopped by the user', 'AbortError'));
      onStop();
    } else if (Date.now() - askedAt > sameKeyPressMilliseconds) {
      killDescendants();
      process.exit(exitCodes.interrupted);
    }
  };
  for (const signal of signals) process.on(signal, ask);
  // npm and the shell do not pass every signal on: without them nobody is left to stop us.
  const watch = setInterval(() => {
    if (process.ppid !== parent && askedAt === 0) ask();
  }, 500);
  watch.unref();
  return {
    signal: controller.signal,
    release: () => {
      clearInterval(watch);
      for (const signal of signals) process.off(signal, ask);
    },
  };
}
