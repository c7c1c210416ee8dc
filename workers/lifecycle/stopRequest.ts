/** What ends a process of ours in order. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C may come twice: from the terminal to the whole process group, and passed on by npm. */
const sameKeyPressMilliseconds = 1000;

/** Exit code of a process that was stopped before its end. */
const interruptedExitCode = 130;

/** Who else may ask to stop, and how long the end may take. */
export interface StopRequestOptions {
  /** Stops it as a signal does. */
  readonly caller?: AbortSignal | undefined;
  /** Called once, when the orderly end begins. */
  readonly onStop?: () => void;
  /** Seconds that the orderly end may take; what is alive then is ended. */
  readonly endSeconds?: number;
  /** Called last where the process is ended at once: what it started must not be left behind. */
  readonly beforeExit?: () => void;
  /** Also where the process that started us ends: npm and shells do not pass every signal on. */
  readonly watchParent?: boolean;
}

export interface StopRequest {
  /** Aborted with an `AbortError` whose message says what asked for the end. */
  readonly signal: AbortSignal;
  /** Back to the usual handling of signals. */
  release(): void;
}

/**
 * How every long-running process of ours is told to end. SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal was closed)
 * ask for an orderly end. A second Ctrl-C ends the process at once; so does an orderly end that takes too long. A second
 * SIGTERM or SIGHUP does not: whoever passes signals on (npx, a shell) sends one more, and what trains is saved all the same.
 */
export function listenForStop(options: StopRequestOptions = {}): StopRequest {
  const { caller, onStop, endSeconds = 30, beforeExit, watchParent = false } = options;
  const controller = new AbortController();
  let askedAt = 0;
  const endNow = (why: string): void => {
    if (why !== '') process.stderr.write(`${why}\n`);
    beforeExit?.();
    process.exit(interruptedExitCode);
  };
  let overdue: NodeJS.Timeout | undefined;
  const ask = (how: string): void => {
    if (controller.signal.aborted) return;
    askedAt = performance.now();
    const late = `Not ended ${endSeconds} s after it was ${how}: ended now.`;
    overdue = setTimeout(() => endNow(late), endSeconds * 1000).unref();
    controller.abort(new DOMException(how, 'AbortError'));
    onStop?.();
  };
  const onSignal = (name: NodeJS.Signals): void => {
    const again = controller.signal.aborted && performance.now() - askedAt > sameKeyPressMilliseconds;
    if (again && name === 'SIGINT') endNow('');
    else ask(`told to stop (${name})`);
  };
  const onCaller = (): void => ask('told to stop');
  for (const signal of signals) process.on(signal, onSignal);
  if (caller?.aborted) onCaller();
  caller?.addEventListener('abort', onCaller);
  const parent = process.ppid;
  const orphaned = (): void => {
    if (process.ppid !== parent) ask('left by the process that started it');
  };
  const watch = watchParent ? setInterval(orphaned, 500).unref() : undefined;
  const unlisten = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  return {
    signal: controller.signal,
    release: () => {
      clearInterval(watch);
      clearTimeout(overdue);
      caller?.removeEventListener('abort', onCaller);
      // What has ended quickly must not be killed by the second half of the key press.
      if (controller.signal.aborted) setTimeout(unlisten, sameKeyPressMilliseconds).unref();
      else unlisten();
    },
  };
}
