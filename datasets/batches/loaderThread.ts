import { workerData } from 'node:worker_threads';
import { noCounts, sumOfCounts } from '../cache/counts.js';
import { serveThread } from '../threads/serveThread.js';
import { Loader } from './loader.js';
import type { LoaderResult, LoaderSettings, LoaderTask } from './settings.js';

/** A loader thread: reads, decodes and augments, so that the thread with TensorFlow need not. */
serveThread<LoaderTask, LoaderResult, string>(
  (warn) => {
    const settings = workerData as LoaderSettings;
    const opening = Loader.open(settings, { warn });
    // Reported with the first task.
    opening.catch(() => undefined);
    let told = noCounts;
    return async (task) => {
      const loader = await opening;
      const batch = await loader.run(task);
      const now = loader.cacheCounts;
      const cache = sumOfCounts(now, told, -1);
      told = now;
      return { batch, cache };
    };
  },
  ({ batch: { images, surface, gridRotations } }) =>
    [images, surface?.normals, surface?.visibility, gridRotations].flatMap((array) =>
      array === undefined ? [] : [array.buffer as ArrayBuffer],
    ),
);
