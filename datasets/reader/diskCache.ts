import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ObjectStore } from '../../storage/types.js';
import type { IndexedObject } from '../types.js';
import { ObjectDamaged } from './errors.js';

/** How much of the limit is left after a clean-up: it must not come again with the next object. */
const keptShare = 0.9;
const attempts = 3;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Objects of a store on the worker's disk, under their SHA-256: shared by processes and threads, never stale, verified at
 * every read. When they exceed the limit, those that were not used for the longest time go.
 */
export class DiskCache {
  /** Bytes that came from the store. */
  bytesFetched = 0;
  private writtenSinceSweep = 0;

  constructor(
    private readonly directory: string,
    private readonly limitBytes: number,
  ) {}

  /**
   * @throws ObjectNotFound, and ObjectDamaged when what the store has is not what the index says, three times over.
   */
  async get(store: ObjectStore, prefix: string, object: IndexedObject): Promise<Uint8Array> {
    const path = join(this.directory, object.sha256.slice(0, 2), object.sha256);
    const cached = await readFile(path).catch(() => null);
    if (cached && sha256(cached) === object.sha256) {
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return cached;
    }
    for (let attempt = 1; ; attempt++) {
      const { body } = await store.get(`${prefix}/${object.key}`);
      this.bytesFetched += body.length;
      if (sha256(body) === object.sha256) {
        await this.keep(path, body);
        return body;
      }
      if (attempt === attempts) {
        throw new ObjectDamaged(
          `${prefix}/${object.key} in ${store.description} has ${body.length} bytes whose SHA-256 is not the index's ` +
            `(${object.size} bytes, ${object.sha256}): pack the data set again (\`tempeh-flow start dataset\`)`,
        );
      }
    }
  }

  /** A full disk is no reason to stop: then nothing is kept. */
  private async keep(path: string, body: Uint8Array): Promise<void> {
    const fresh = `${path}.${randomUUID()}`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(fresh, body);
      await rename(fresh, path);
    } catch {
      await rm(fresh, { force: true }).catch(() => undefined);
      return;
    }
    this.writtenSinceSweep += body.length;
    if (this.writtenSinceSweep > this.limitBytes * (1 - keptShare)) await this.sweep();
  }

  private async sweep(): Promise<void> {
    this.writtenSinceSweep = 0;
    const files: { path: string; size: number; used: number }[] = [];
    for (const folder of await readdir(this.directory)) {
      for (const name of await readdir(join(this.directory, folder)).catch(() => [])) {
        const path = join(this.directory, folder, name);
        const information = await stat(path).catch(() => null);
        if (information?.isFile()) files.push({ path, size: information.size, used: information.mtimeMs });
      }
    }
    let total = files.reduce((sum, { size }) => sum + size, 0);
    files.sort((a, b) => a.used - b.used);
    for (const { path, size } of files) {
      if (total <= this.limitBytes * keptShare) break;
      await rm(path, { force: true }).catch(() => undefined);
      total -= size;
    }
  }
}
