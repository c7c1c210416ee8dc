import { parentPort, workerData } from 'node:worker_threads';
import type { Batch } from '../types.js';
import { FrameUnreadable } from '../reader/errors.js';
import { Loader, openSource } from './loader.js';
import type { LoaderAnswer, LoaderRequest, LoaderSettings } from './settings.js';

/** A loader thread: reads, decodes and augments, so that the thread with TensorFlow need not. */
if (parentPort) {
  const port = parentPort;
  const settings = workerData as LoaderSettings;
  const warn = (warning: string): void => port.postMessage({ warning } satisfies LoaderAnswer);
  const opening = openSource(settings, { warn }).then(
    (source) => new Loader(source, settings.coarsePredictions, { warn }),
  );
  // Reported with the first request.
  opening.catch(() => undefined);
  const answer = async ({ id, task }: LoaderRequest): Promise<void> => {
    try {
      const loader = await opening;
      const batch = await loader.run(task);
      port.postMessage({ id, batch, bytesRead: loader.bytesRead } satisfies LoaderAnswer, transferable(batch));
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const { name, message, stack } = error;
      const frame = error instanceof FrameUnreadable ? error.frame : undefined;
      port.postMessage({
        id,
        error: { name, message, ...(stack && { stack }), ...(frame && { frame }) },
      } satisfies LoaderAnswer);
    }
  };
  port.on('message', (request: LoaderRequest) => void answer(request));
}

function transferable(batch: Batch): ArrayBuffer[] {
  return [batch.images.buffer as ArrayBuffer];
}
