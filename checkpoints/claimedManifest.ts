import { keys } from '../storage/keys.js';
import { ObjectNotFound, PreconditionFailed, type ObjectStore } from '../storage/types.js';
import { LeaseLost } from './errors.js';
import { emptyManifest, formatManifest, parseManifest, type CheckpointStage, type Manifest } from './manifest.js';

const claimAttempts = 20;

/** Reads without claiming: what everyone but the trainer does. null if the stage has not begun. */
export async function readManifest(store: ObjectStore, run: string, stage: CheckpointStage): Promise<Manifest | null> {
  return (await readVersion(store, run, stage))?.manifest ?? null;
}

/**
 * The manifest in the hands of the one attempt that may write it. Every write replaces the version that was read or
 * written last, and no other: after another attempt's claim the next write fails, whatever this process believes.
 */
export class ClaimedManifest {
  private constructor(
    private readonly store: ObjectStore,
    readonly attempt: string,
    private version: { manifest: Manifest; etag: string },
  ) {}

  /** Takes the lease over from whoever holds it. */
  static async claim(
    store: ObjectStore,
    run: string,
    stage: CheckpointStage,
    attempt: string,
  ): Promise<ClaimedManifest> {
    const key = keys.manifest(run, stage);
    for (let tries = 1; ; tries++) {
      const found = await readVersion(store, run, stage);
      const before = found?.manifest ?? emptyManifest(run, stage);
      const manifest: Manifest = {
        ...before,
        revision: before.revision + 1,
        lease: { attempt, claimedAt: new Date().toISOString() },
      };
      try {
        const condition = found ? { ifMatch: found.etag } : { ifAbsent: true };
        const { etag } = await store.put(key, formatManifest(manifest), {
          ...condition,
          contentType: 'application/json',
        });
        return new ClaimedManifest(store, attempt, { manifest, etag });
      } catch (cause) {
        // Someone wrote in between: the lease is to be taken from what they wrote.
        if (!(cause instanceof PreconditionFailed) || tries >= claimAttempts) throw cause;
      }
    }
  }

  get manifest(): Manifest {
    return this.version.manifest;
  }

  /** @throws LeaseLost if another attempt has claimed the manifest since. */
  async update(change: (manifest: Manifest) => Manifest, signal?: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { manifest: before, etag: ifMatch } = this.version;
      const key = keys.manifest(before.run, before.stage);
      const manifest = { ...change(before), revision: before.revision + 1, lease: before.lease };
      try {
        const { etag } = await this.store.put(key, formatManifest(manifest), {
          ifMatch,
          contentType: 'application/json',
          ...(signal ? { signal } : {}),
        });
        this.version = { manifest, etag };
        return;
      } catch (cause) {
        if (!(cause instanceof PreconditionFailed)) throw cause;
        // An earlier write of ours may have arrived although it seemed to fail: then what stands there is ours.
        const found = await readVersion(this.store, before.run, before.stage);
        if (found?.manifest.lease?.attempt !== this.attempt || tries > 1) throw new LeaseLost(key, this.attempt);
        this.version = found;
        if (found.manifest.revision === manifest.revision) return;
      }
    }
  }
}

async function readVersion(
  store: ObjectStore,
  run: string,
  stage: CheckpointStage,
): Promise<{ manifest: Manifest; etag: string } | null> {
  try {
    const { body, information } = await store.get(keys.manifest(run, stage));
    return { manifest: parseManifest(body, run, stage), etag: information.etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw cause;
  }
}
