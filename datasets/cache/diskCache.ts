import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../../disk/makeFolder.js';
import { ContentDamaged, ObjectNotFound, type ReadableStore } from '../../storage/types.js';
import type { IndexedObject } from '../types.js';
import { CacheBudget } from './cacheBudget.js';
import { noCounts, sumOfCounts, type CacheCounts } from './counts.js';
import { ObjectDamaged } from '../reader/errors.js';

/** A missing or damaged object is asked for so often; a store behind a proxy may show an old state for a moment. */
const attempts = 3;
/** Milliseconds, doubled each time. */
const firstPause = 100;

/** Bytes at the end of an entry that is not named by its content. */
const hashBytes = 32;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What an object was when it was listed: no index has its hash, and its ETag changes with its content. */
export interface ObjectVersion {
  readonly key: string;
  readonly etag: string;
  /** Which store it is of: unlike that of any other. */
  readonly place: string;
}

/**
 * Objects of stores on the worker's disk, shared by all runs, processes and threads that name the folder, and verified at
 * every read: under their SHA-256 where an index has it, else under what they are called, with their hash behind them. When
 * they exceed the limit, all users together, those that were not used for the longest time go; whoever has one open reads
 * on.
 */
export class DiskCache {
  private counted = noCounts;
  private readonly budget: CacheBudget;
  /** Frames of a sequence share calibrations: what is asked for twice at a time is read once. */
  private readonly underWay = new Map<string, Promise<Uint8Array>>();

  /** @param limitBytes of all processes and threads that use the folder. */
  constructor(
    private readonly directory: string,
    limitBytes: number,
  ) {
    this.budget = new CacheBudget(directory, limitBytes, (bytes) => this.count({ evicted: 1, evictedBytes: bytes }));
  }

  /** What this user of the folder did so far. */
  get counts(): CacheCounts {
    return this.counted;
  }

  /**
   * @returns the object's content, verified; not to be changed, for others may have it too.
   * @throws ObjectNotFound, and ObjectDamaged when what the store has is not what the index says, each three times over.
   */
  get(store: ReadableStore, prefix: string, object: IndexedObject): Promise<Uint8Array> {
    const name = object.sha256;
    return this.once(name, async () => {
      const cached = await this.cached(name, (file) => (sha256(file) === name ? file : null));
      if (cached !== null) return cached;
      const body = await this.fetch(store, prefix, object);
      await this.keep(name, [body]);
      return body;
    });
  }

  /**
   * As `get`, of an object that no index has the hash of. One that was replaced since it was listed is given as it is now,
   * and not kept.
   *
   * @throws ObjectNotFound
   */
  getVersion(store: ReadableStore, version: ObjectVersion): Promise<Uint8Array> {
    const name = sha256(Buffer.from(JSON.stringify([version.place, version.key, version.etag])));
    return this.once(name, async () => {
      const cached = await this.cached(name, withoutHash);
      if (cached !== null) return cached;
      const { body, information } = await store.get(version.key);
      this.count({ misses: 1, missBytes: body.length });
      if (information.etag === version.etag) await this.keep(name, [body, Buffer.from(sha256(body), 'hex')]);
      return body;
    });
  }

  private async once(name: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.underWay.get(name);
    if (known) return known;
    const reading = read().finally(() => this.underWay.delete(name));
    this.underWay.set(name, reading);
    return reading;
  }

  /** @param verified the content of an entry; null for a damaged one. */
  private async cached(name: string, verified: (file: Buffer) => Uint8Array | null): Promise<Uint8Array | null> {
    const path = this.pathOf(name);
    const file = await readFile(path).catch(() => null);
    const content = file && verified(file);
    if (content === null) return null;
    this.count({ hits: 1, hitBytes: content.length });
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return content;
  }

  private pathOf(name: string): string {
    return join(this.directory, name.slice(0, 2), name);
  }

  private count(more: Partial<CacheCounts>): void {
    this.counted = sumOfCounts(this.counted, { ...noCounts, ...more });
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
        this.count({ missBytes: body.length });
        if (sha256(body) === object.sha256) {
          this.count({ misses: 1 });
          return body;
        }
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
  private async keep(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = this.pathOf(name);
    const fresh = `${path}.${randomUUID()}`;
    try {
      await writeFile(fresh, parts).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await makeFolder(dirname(path));
        await writeFile(fresh, parts);
      });
      await rename(fresh, path);
      await this.budget.written(parts.reduce((sum, { length }) => sum + length, 0));
    } catch {
      await rm(fresh, { force: true }).catch(() => undefined);
    }
  }
}

function withoutHash(file: Buffer): Uint8Array | null {
  const content = file.subarray(0, Math.max(0, file.length - hashBytes));
  return sha256(content) === file.toString('hex', content.length) ? content : null;
}
