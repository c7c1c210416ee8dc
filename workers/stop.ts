/**
 * How a worker process is told to stop: by its caller's signal, by SIGTERM or SIGINT. A second SIGINT or SIGTERM ends it
 * at once. Call `release` when the worker has stopped.
 */
export function stopSignal(caller: AbortSignal | undefined): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
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
