import { workerData } from 'node:worker_threads';
import { serveThread } from '../threads/serveThread.js';
import { Loader, openSource } from './loader.js';
import type { LoaderResult, LoaderSettings, LoaderTask } from './settings.js';

/** A loader thread: reads, decodes and augments, so that the thread with TensorFlow need not. */
serveThread<LoaderTask, LoaderResult, string>(
  (warn) => {
    const settings = workerData as LoaderSettings;
    const opening = openSource(settings, { warn }).then(
      (source) => new Loader(source, settings.coarsePredictions, settings, { warn }),
    );
    // Reported with the first task.
    opening.catch(() => undefined);
    let told = 0;
    return async (task) => {
      const loader = await opening;
      const batch = await loader.run(task);
      const bytesRead = loader.bytesRead - told;
      told += bytesRead;
      return { batch, bytesRead };
    };
  },
  ({ batch: { images, surface, gridRotations } }) =>
    [images, surface?.normals, surface?.visibility, gridRotations].flatMap((array) =>
      array === undefined ? [] : [array.buffer as ArrayBuffer],
    ),
);
