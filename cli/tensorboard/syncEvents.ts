import { appendFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { segmentsThatCount } from '../../checkpoints/events/segmentsThatCount.js';
import { checkpointStages } from '../../checkpoints/manifest/manifestSchema.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import type { ObjectStore } from '../../storage/types.js';
import { CommandError } from '../errors.js';
import { configurationEvents } from './configurationEvents.js';
import { evaluationEvents, type MadeEvents } from './evaluationEvents.js';

/**
 * Brings a folder's event files up to the object store's, for TensorBoard: the sealed segments, and the open one of the
 * attempt that trains now; the configuration; and, once there is one, the evaluation's table. What an attempt left that was given up is not
 * fetched, and removed.
 *
 * @param directory gets a folder a stage, and one for the evaluation; the configuration lies in it itself.
 * @returns files that are there now.
 */
export async function syncEvents(
  store: ObjectStore,
  run: string,
  directory: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const files: string[] = [];
  for (const stage of checkpointStages) {
    const manifest = await readManifest(store, run, stage);
    if (manifest === null) continue;
    const folder = join(directory, stage);
    await makeFolder(folder);
    const wanted = new Set<string>();
    for (const { key, size } of await segmentsThatCount(store, manifest)) {
      const file = join(folder, basename(key));
      wanted.add(basename(key));
      files.push(file);
      await bring(store, { key, size }, file, signal);
    }
    await removeOthers(folder, wanted);
  }
  if (files.length > 0) files.push(...(await writeMade(directory, await configurationEvents(store, run))));
  files.push(...(await writeMade(join(directory, 'evaluation'), await evaluationEvents(store, run))));
  return files;
}

/** As {@link syncEvents}, into a folder that may be new. @throws CommandError where the store has none of the run */
export async function fetchEvents(
  store: ObjectStore,
  run: string,
  directory: string,
  signal?: AbortSignal,
): Promise<string[]> {
  await makeFolder(directory);
  const files = await syncEvents(store, run, directory, signal);
  if (files.length === 0) throw new CommandError(`${store.description} has no events of ${run} (yet).`);
  return files;
}

async function writeMade(folder: string, made: MadeEvents | null): Promise<string[]> {
  if (made === null) return [];
  await makeFolder(folder);
  const file = join(folder, made.name);
  if ((await stat(file).catch(() => null)) === null) await writeFile(file, made.body);
  await removeOthers(folder, new Set([made.name]));
  return [file];
}

async function removeOthers(folder: string, wanted: ReadonlySet<string>): Promise<void> {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { name } of files) if (!wanted.has(name)) await rm(join(folder, name), { force: true });
}

/**
 * A segment only grows: the same size is the same content, and what is there stays. The file grows in its place, for
 * TensorBoard's data server holds it open, and would never see another one that takes over its name.
 */
async function bring(
  store: ObjectStore,
  { key, size }: { readonly key: string; readonly size: number },
  file: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal ? { signal } : {};
  const there = (await stat(file).catch(() => null))?.size ?? 0;
  if (there === size) return;
  if (there === 0 || there > size) {
    await store.download(key, file, options);
    return;
  }
  const { body } = await store.get(key, { range: { start: there, end: size }, ...options });
  await appendFile(file, body);
}
