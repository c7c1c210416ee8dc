import { keys } from '../../storage/keys.js';
import { PreconditionFailed, type ObjectStore } from '../../storage/types.js';
import { CheckpointsLost, LeaseLost } from '../errors.js';
import { emptyManifest, formatManifest } from './manifest.js';
import type { CheckpointStage, Manifest } from './manifestSchema.js';
import { readBegun, type ManifestVersion } from './readManifest.js';

const claimAttempts = 20;
/** How many superseded attempts are remembered until a sweep: what earlier ones left waits until it is old enough. */
const overtakenKept = 32;

/** A claim as it goes from one thread to another. */
export interface ManifestClaim {
  readonly attempt: string;
  readonly version: ManifestVersion;
  readonly overtaken: readonly string[];
}

/**
 * The manifest, held by the one attempt that may write it. Every write replaces the version that was read or
 * written last, and no other: after another attempt's claim the next write fails, whatever this process believes.
 */
export class ClaimedManifest {
  private constructor(
    private readonly store: ObjectStore,
    readonly attempt: string,
    private version: ManifestVersion,
    /** Whose lease was taken over, by this claim and by those before it that did not get to sweep. */
    readonly overtaken: readonly string[],
  ) {}

  /**
   * Takes the lease over from whoever holds it. A stage without a manifest begins.
   *
   * @param knownStep of a checkpoint that Temporal knows of; null if it knows of none.
   * @throws ManifestMissing where objects of the stage are there.
   * @throws CheckpointsLost where a checkpoint is known of.
   */
  static async claim(
    store: ObjectStore,
    run: string,
    stage: CheckpointStage,
    attempt: string,
    knownStep: number | null = null,
  ): Promise<ClaimedManifest> {
    const key = keys.manifest(run, stage);
    for (let tries = 1; ; tries++) {
      const found = await readBegun(store, run, stage);
      if (knownStep !== null && !namesAny(found?.manifest)) {
        throw new CheckpointsLost(run, key, store.description, knownStep);
      }
      const before = found?.manifest ?? emptyManifest(run, stage);
      const manifest: Manifest = {
        ...before,
        revision: before.revision + 1,
        lease: { attempt, claimedAt: new Date().toISOString() },
        ...overtaking(before, attempt),
      };
      try {
        const condition = found ? { ifMatch: found.etag } : { ifAbsent: true };
        const { etag } = await store.put(key, formatManifest(manifest), {
          ...condition,
          contentType: 'application/json',
        });
        return new ClaimedManifest(store, attempt, { manifest, etag }, manifest.overtaken ?? []);
      } catch (cause) {
        // Someone wrote in between: the lease is to be taken from what they wrote.
        if (!(cause instanceof PreconditionFailed) || tries >= claimAttempts) throw cause;
      }
    }
  }

  /** The claim of another thread of the same attempt, which must not write any more. */
  static takeOver(store: ObjectStore, { attempt, version, overtaken }: ManifestClaim): ClaimedManifest {
    return new ClaimedManifest(store, attempt, version, overtaken);
  }

  /** What another thread needs to go on with it. */
  handOver(): ManifestClaim {
    return { attempt: this.attempt, version: this.version, overtaken: this.overtaken };
  }

  get manifest(): Manifest {
    return this.version.manifest;
  }

  /**
   * @throws LeaseLost if another attempt has claimed the manifest since.
   * @throws ManifestMissing if someone has deleted it.
   */
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
        const found = await readBegun(this.store, before.run, before.stage);
        if (found?.manifest.lease?.attempt !== this.attempt || tries > 1) throw new LeaseLost(key, this.attempt);
        this.version = found;
        if (found.manifest.revision === manifest.revision) return;
      }
    }
  }
}

/** A claim may meet its own: one that seemed to have failed. */
function overtaking({ lease, overtaken = [] }: Manifest, by: string): Pick<Manifest, 'overtaken'> {
  const attempts = new Set([...overtaken, ...(lease ? [lease.attempt] : [])]);
  attempts.delete(by);
  return attempts.size > 0 ? { overtaken: [...attempts].slice(-overtakenKept) } : {};
}

function namesAny(manifest: Manifest | undefined): boolean {
  return manifest !== undefined && manifest.checkpoints.length + manifest.quarantined.length > 0;
}
