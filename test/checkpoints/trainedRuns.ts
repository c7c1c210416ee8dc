import { CheckpointStore, type CheckpointRun } from '../../checkpoints/checkpointStore.js';
import type { Manifest } from '../../checkpoints/manifest/manifestSchema.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { plainConfiguration, saveOf } from './checkpointFixtures.js';

export const folder = temporaryFolder();
export const store = directoryStore(folder);
let runs = 0;
export const newRun = (): string => `run-${runs++}`;
export const manifestKey = (run: string): string => keys.manifest(run, 'coarse');

export function claim(run: string, attempt: string, job: Partial<CheckpointRun> = {}): Promise<CheckpointStore> {
  const configuration = plainConfiguration();
  return CheckpointStore.claim(store, { run, stage: 'coarse-pretraining', attempt, configuration, ...job });
}

export async function objects(run: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(`${keys.run(run)}/`)) found.push(key);
  return found.sort();
}

/** Two checkpoints, with the events that lead up to them. */
export async function trained(run: string, attempt = 'one'): Promise<CheckpointStore> {
  const checkpoints = await claim(run, attempt);
  for (const [from, to] of [
    [0, 10],
    [10, 20],
  ] as const) {
    const key = keys.eventSegment(run, 'coarse', from, attempt);
    await store.put(key, Buffer.from(`${from}`));
    await checkpoints.save(saveOf(to, { events: { key, from, to } }));
  }
  return checkpoints;
}

export async function rewrite(run: string, change: (manifest: Manifest) => unknown): Promise<void> {
  const manifest = await readManifest(store, run, 'coarse');
  await store.put(manifestKey(run), Buffer.from(JSON.stringify(change(manifest!))));
}
