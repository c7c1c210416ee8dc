import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContentDamaged, ObjectNotFound, type ReadableStore } from '../../storage/types.js';
import type { IndexedObject } from '../types.js';
import { CacheBudget } from './cacheBudget.js';
import { ObjectDamaged } from './errors.js';

/** A missing or damaged object is asked for so often; a store behind a proxy may show an old state for a moment. */
const attempts = 3;
/** Milliseconds, doubled each time. */
const firstPause = 100;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Objects of a store on the worker's disk, under their SHA-256: shared by processes and threads, never stale, verified at
 * every read. When they exceed the limit, all users together, those that were not used for the longest time go.
 */
export class DiskCache {
  /** Bytes that came from the store. */
  bytesFetched = 0;
  private readonly budget: CacheBudget;
  /** Frames of a sequence share calibrations: what is asked for twice at a time is read once. */
  private readonly underWay = new Map<string, Promise<Uint8Array>>();

  /** @param limitBytes of all processes and threads that use the folder. */
  constructor(
    private readonly directory: string,
    limitBytes: number,
  ) {
    this.budget = new CacheBudget(directory, limitBytes);
  }

  /**
   * @returns the object's content, verified; not to be changed, for others may have it too.
   * @throws ObjectNotFound, and ObjectDamaged when what the store has is not what the index says, each three times over.
   */
  async get(store: ReadableStore, prefix: string, object: IndexedObject): Promise<Uint8Array> {
    const known = this.underWay.get(object.sha256);
    if (known) return known;
    const reading = this.read(store, prefix, object).finally(() => this.underWay.delete(object.sha256));
    this.underWay.set(object.sha256, reading);
    return reading;
  }

  private async read(store: ReadableStore, prefix: string, object: IndexedObject): Promise<Uint8Array> {
    const path = join(this.directory, object.sha256.slice(0, 2), object.sha256);
    const cached = await readFile(path).catch(() => null);
    if (cached && sha256(cached) === object.sha256) {
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return cached;
    }
    const body = await this.fetch(store, prefix, object);
    await this.keep(path, body);
    return body;
  }

  private async fetch(store: ReadableStore, prefix: string, object: IndexedObject): Promise<Uint8Array> {
    const key = `${prefix}/${object.key}`;
    for (let attempt = 1; ; attempt++) {
      let body: Uint8Array | null = null;
      try {
        ({ body } = await store.get(key, { verifiedByCaller: true }));
      } catch (cause) {
        // What the store itself knows to be damaged is no better than what only we find to be.
        if (cause instanceof ContentDamaged) body = new Uint8Array(0);
        else if (!(cause instanceof ObjectNotFound) || attempt === attempts) throw cause;
      }
      if (body !== null) {
        this.bytesFetched += body.length;
        if (sha256(body) === object.sha256) return body;
        if (attempt === attempts) {
          throw new ObjectDamaged(
            `${key} in ${store.description} has ${body.length} bytes whose SHA-256 is not the index's ` +
              `(${object.size} bytes, ${object.sha256}): pack the data set again (\`tempeh-flow start dataset\`)`,
          );
        }
      }
      await sleep(firstPause * 2 ** attempt);
    }
  }

  /** A full disk is no reason to stop: then nothing is kept. */
  private async keep(path: string, body: Uint8Array): Promise<void> {
    const fresh = `${path}.${randomUUID()}`;
    try {
      await writeFile(fresh, body).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await mkdir(dirname(path), { recursive: true });
        await writeFile(fresh, body);
      });
      await rename(fresh, path);
      await this.budget.written(body.length);
    } catch {
      await rm(fresh, { force: true }).catch(() => undefined);
    }
  }
}
