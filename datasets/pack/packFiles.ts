import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { keys } from '../../storage/keys.js';
import { readStored, StoredObjectInvalid } from '../../storage/storedJson.js';
import type { ObjectStore } from '../../storage/types.js';
import { findBundle } from '../fetch/bundles.js';
import type { TransferProgress } from '../fetch/progress.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { indexedObjectSchema } from '../index/indexSchema.js';
import type { IndexedObject } from '../types.js';

export interface PackFilesOptions {
  readonly store: ObjectStore;
  readonly bundle: string;
  /** Where the bundle was extracted. */
  readonly extracted: string;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
}

const filesAtOnce = 4;

/**
 * Stores the extracted files of a bundle that holds no frames as they are, below `keys.published(bundle)`, each with its
 * checksum; last `contents.json`, the list of them. What an earlier call stored is not sent again.
 */
export async function packFiles({ store, bundle, extracted, onProgress, signal }: PackFilesOptions) {
  const prefix = keys.published(bundle);
  const files: string[] = [];
  for (const target of new Set(findBundle(bundle).archives.map((archive) => archive.target))) {
    files.push(...(await filesBelow(extracted, target)));
  }
  const before = new Map((await readContents(store, `${prefix}/contents.json`)).map((object) => [object.key, object]));
  const there = new Map<string, number>();
  for await (const { key, size } of store.list(`${prefix}/`)) there.set(key.slice(prefix.length + 1), size);
  let doneBytes = 0;
  let doneFiles = 0;
  const stored = await mapLimited(files.sort(), filesAtOnce, async (key): Promise<IndexedObject> => {
    signal?.throwIfAborted();
    const path = join(extracted, key);
    const { size } = await stat(path);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { ...(signal ? { signal } : {}) });
    const sha256 = hash.digest('hex');
    if (before.get(key)?.sha256 !== sha256 || there.get(key) !== size) {
      await store.put(`${prefix}/${key}`, { path }, { sha256, ...(signal ? { signal } : {}) });
    }
    doneBytes += size;
    doneFiles++;
    onProgress?.({ doneBytes, totalBytes: null, doneFiles, totalFiles: files.length, current: key });
    return { key, size, sha256 };
  });
  await store.put(`${prefix}/contents.json`, Buffer.from(JSON.stringify(stored)), { contentType: 'application/json' });
  return { prefix, files: stored.length, bytes: doneBytes };
}

/** Paths below a base, with forward slashes; hidden state of ours left out. */
async function filesBelow(base: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(base, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(base, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

/** None where nothing was stored, or what was is unreadable: then all is sent again. */
async function readContents(store: ObjectStore, key: string): Promise<readonly IndexedObject[]> {
  try {
    return (await readStored(store, key, { schema: z.array(indexedObjectSchema) })) ?? [];
  } catch (error) {
    if (error instanceof StoredObjectInvalid) return [];
    throw error;
  }
}
