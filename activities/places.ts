import { needPlace, placeOf } from '../datasets/reader/inPlace.js';
import { passingFault } from './failures.js';
import type { DataConfiguration } from './types.js';
import type { WorkerLimits } from './workerLimits.js';

/** Milliseconds until another worker is asked, or this one again. */
const pause = 10_000;

/**
 * Frames that are read in place have to be seen by whoever reads them.
 *
 * @throws ConfigurationInvalid where the worker's owner does not allow the folder; FolderNotSeen, which is tried again:
 * other workers may see it.
 */
export function checkPlace(dataset: DataConfiguration['dataset'], limits: WorkerLimits): void {
  const place = placeOf(dataset);
  if (place === null) return;
  limits.checkFolder('dataset.source.path', place.path);
  try {
    needPlace(place);
  } catch (cause) {
    throw passingFault('FolderNotSeen', (cause as Error).message, pause);
  }
}
