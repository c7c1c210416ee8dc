import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import type { Manifest } from './manifest.js';

/**
 * Objects of a stage that its manifest does not name: parts of checkpoints that never came to count, open event
 * segments of attempts that ended.
 *
 * List them *before* a write of the manifest and delete them *after* it succeeded: then nobody had taken over when the
 * list was made, and nothing of a newer attempt can be in it.
 */
export async function strayObjects(store: ObjectStore, manifest: Manifest): Promise<string[]> {
  const { run, stage, checkpoints, quarantined, events } = manifest;
  const folders = [...checkpoints, ...quarantined].map(({ key }) => `${key}/`);
  const files = new Set(events.map(({ key }) => key));
  const strays: string[] = [];
  for await (const { key } of store.list(`${keys.checkpoints(run, stage)}/`)) {
    if (!folders.some((folder) => key.startsWith(folder))) strays.push(key);
  }
  for await (const { key } of store.list(`${keys.events(run, stage)}/`)) {
    if (!files.has(key)) strays.push(key);
  }
  return strays;
}
