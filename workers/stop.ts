/** One Ctrl-C may come twice: from the terminal to the whole process group, and passed on by npm. */
const sameKeyPressMilliseconds = 1000;

/**
 * How a worker process is told to stop: by its caller's signal, by SIGTERM or SIGINT. A second Ctrl-C ends it at once.
 * A second SIGTERM does not: of a process group that is told to stop, each that passes signals on (npx, a shell) sends
 * one more, and what trains must be saved all the same. Call `release` when the worker has stopped.
 */
export function stopSignal(caller: AbortSignal | undefined): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  let told = 0;
  const onSignal = (name: NodeJS.Signals) => {
    const now = performance.now();
    if (controller.signal.aborted) {
      if (name === 'SIGINT' && now - told > sameKeyPressMilliseconds) process.exit(130);
      return;
    }
    told = now;
    controller.abort(`the worker was told to stop (${name})`);
  };
  const onAbort = () => controller.abort('the worker was told to stop');
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  if (caller?.aborted) onAbort();
  caller?.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      caller?.removeEventListener('abort', onAbort);
    },
  };
}
