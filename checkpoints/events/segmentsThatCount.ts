import { keys } from '../../storage/keys.js';
import type { ObjectInformation, ObjectStore } from '../../storage/types.js';
import type { Manifest } from '../manifest/manifestSchema.js';

/**
 * The segments of a stage's event log that count, in the order of their steps: the sealed ones, and the open one of the
 * attempt that trains now. What an attempt left that was given up is not among them.
 */
export async function segmentsThatCount(
  store: ObjectStore,
  { run, stage, events, lease }: Pick<Manifest, 'run' | 'stage' | 'events' | 'lease'>,
): Promise<ObjectInformation[]> {
  const sealed = new Set(events.map(({ key }) => key));
  const found: ObjectInformation[] = [];
  for await (const object of store.list(`${keys.events(run, stage)}/`)) {
    if (sealed.has(object.key) || (lease !== null && object.key.endsWith(`.${lease.attempt}`))) found.push(object);
  }
  // A key has the number of its first step, padded.
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}
