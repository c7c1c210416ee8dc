import type { RunConfiguration } from '../configs/schema/run.js';
import type { CheckpointConfiguration, TrainingStage } from '../configs/schema/training.js';
import { checkConditionalPuts } from '../storage/wrappers/conditionalPuts.js';
import { keys } from '../storage/keys.js';
import { mapLimited } from '../storage/async/mapLimited.js';
import {
  CredentialsExpired,
  StoreAccessDenied,
  type ObjectInformation,
  type ObjectStore,
  type UnfinishedUpload,
} from '../storage/types.js';
import type { CheckpointReference } from './reference.js';
import { ClaimedManifest, type ManifestClaim } from './manifest/claimedManifest.js';
import { discardedObjects, discarding, partKeys } from './discarded.js';
import { LeaseLost, NoUsableCheckpoint } from './errors.js';
import { goingOnFrom, loadNewest } from './reading/loadCheckpoint.js';
import { checkpointStageOf, type Manifest, type ManifestCheckpoint } from './manifest/manifestSchema.js';
import { isDiscardable } from './manifest/manifestKeys.js';
import { readVersion } from './manifest/readManifest.js';
import { retain } from './objects/retention.js';
import { listStageObjects, type CheckpointFolder } from './objects/stageObjects.js';
import { unnamedObjects } from './objects/unnamedObjects.js';
import type { CheckpointParts, TrainingState } from './reading/trainingState.js';

export interface CheckpointRun {
  readonly run: string;
  readonly stage: TrainingStage;
  readonly configuration: RunConfiguration;
  /** Names this process alone. */
  readonly attempt: string;
  /** Step of the newest checkpoint of this stage's folder that Temporal knows of; null or absent if it knows of none. */
  readonly knownStep?: number | null;
}

/** What one save brings along. */
export interface Save {
  readonly step: number;
  readonly stage: TrainingStage;
  readonly parts: CheckpointParts;
  /** The event log's segment that ends here; already uploaded. */
  readonly events: Manifest['events'][number] | null;
  /** This is the last step of its stage. */
  readonly finished: boolean;
  readonly loss: number | null;
}

/** A stage's checkpoints on their way from one thread to another. */
export interface CheckpointsHandedOver {
  readonly claim: ManifestClaim;
  readonly unnamed: readonly CheckpointFolder[];
  readonly gone: ReadonlySet<string>;
}

/**
 * The checkpoints of a stage, held by the attempt that trains it. A checkpoint counts once the manifest names it:
 * its parts are there before, so a half-written one does not exist.
 */
export class CheckpointStore {
  /** Whole checkpoints that were there at the claim, and that the manifest does not name. */
  private unnamed: readonly CheckpointFolder[] = [];
  /** Keys that have been deleted since the manifest said so. */
  private gone: ReadonlySet<string> = new Set();

  private constructor(
    private readonly store: ObjectStore,
    private readonly job: CheckpointRun,
    private readonly claimed: ClaimedManifest,
  ) {}

  /**
   * Takes over from whatever attempt came before, and clears away what it left unfinished.
   *
   * @throws StoreUnsuitable for a store that would let two attempts overwrite each other.
   * @throws ManifestMissing, CheckpointsLost where the stage has begun, and its manifest or all of it is gone.
   */
  static async claim(store: ObjectStore, job: CheckpointRun): Promise<CheckpointStore> {
    const stage = checkpointStageOf(job.stage);
    // Among the checkpoints, where the next claim clears away what a kill leaves of it.
    await checkConditionalPuts(store, `${keys.checkpoints(job.run, stage)}/conditional-put-check-${job.attempt}`);
    const claimed = await ClaimedManifest.claim(store, job.run, stage, job.attempt, job.knownStep);
    const checkpoints = new CheckpointStore(store, job, claimed);
    await checkpoints.sweep((manifest) => manifest);
    return checkpoints;
  }

  /** The stage's checkpoints in another thread of the attempt that claimed them. */
  static takeOver(
    store: ObjectStore,
    job: CheckpointRun,
    { claim, unnamed, gone }: CheckpointsHandedOver,
  ): CheckpointStore {
    const checkpoints = new CheckpointStore(store, job, ClaimedManifest.takeOver(store, claim));
    checkpoints.unnamed = unnamed;
    checkpoints.gone = gone;
    return checkpoints;
  }

  /** What `takeOver` needs; this object writes no more. */
  handOver(): CheckpointsHandedOver {
    return { claim: this.claimed.handOver(), unnamed: this.unnamed, gone: this.gone };
  }

  get manifest(): Manifest {
    return this.claimed.manifest;
  }

  /**
   * The newest checkpoint that can be read. Damaged ones are put aside, with the events that came after what is returned:
   * those steps will be trained again. Where none can be read, nothing is changed.
   *
   * @param warn is called once with all that was put aside.
   * @returns null if there has never been one.
   * @throws NoUsableCheckpoint when there are some, all damaged.
   */
  async load(warn: (message: string) => void): Promise<TrainingState | null> {
    const found = await loadNewest(this.store, this.manifest);
    if (!('state' in found)) {
      if (found.damaged.length === 0) return null;
      const reasons = found.damaged.map(({ step, key, reason }) => `step ${step} (${key}): ${reason}`);
      throw new NoUsableCheckpoint(keys.manifest(this.manifest.run, this.manifest.stage), this.manifest.run, reasons);
    }
    const { checkpoint, damaged, state } = found;
    if (this.manifest.checkpoints.at(-1)?.key !== checkpoint.key) {
      await this.update((manifest) => goingOnFrom(found, manifest));
      const what = damaged.map(({ message }) => `${message.replace(/\.+$/, '')}. It is put aside.`);
      warn([...what, `Training goes on from the checkpoint of step ${state.step} instead.`].join(' '));
    }
    return state;
  }

  /**
   * Uploads the parts, then lets the manifest name them; deletes what retention drops. Doing it again after a failure
   * does no harm, whatever had been done by then.
   *
   * @throws LeaseLost if another attempt has taken over.
   */
  async save(save: Save, signal?: AbortSignal): Promise<CheckpointReference> {
    const { run, stage } = this.manifest;
    const key = keys.checkpoint(run, stage, save.step, this.job.attempt);
    // Until all have ended: what is tried again must not meet what a failed save is still sending.
    const parts = Object.entries(save.parts);
    await mapLimited(parts, parts.length, ([name, { body, sha256 }], _index, failed) =>
      this.store.put(`${key}/${name}`, body, { sha256, signal: signal ? AbortSignal.any([signal, failed]) : failed }),
    );
    const { milestoneEvery } = this.job.configuration.checkpoints;
    const checkpoint: ManifestCheckpoint = {
      step: save.step,
      stage: save.stage,
      attempt: this.job.attempt,
      key,
      createdAt: new Date().toISOString(),
      parts: Object.fromEntries(
        Object.entries(save.parts).map(([name, { body, sha256 }]) => [name, { size: body.length, sha256 }]),
      ),
      milestone: save.finished || (milestoneEvery !== null && save.step % milestoneEvery === 0),
    };
    const modelSha256 = save.parts['model.safetensors'].sha256;
    const add = (manifest: Manifest): Manifest => ({
      ...manifest,
      checkpoints: [...manifest.checkpoints.filter(({ step }) => step !== save.step), checkpoint],
      events: save.events
        ? [...manifest.events.filter((segment) => segment.key !== save.events?.key), save.events]
        : manifest.events,
      finished: save.finished
        ? {
            ...manifest.finished,
            [save.stage]: { step: save.step, key, modelSha256, loss: save.loss, at: new Date().toISOString() },
          }
        : manifest.finished,
    });
    const doubles = this.unnamed
      .filter((folder) => folder.step === save.step && folder.key !== key)
      .flatMap(({ objects }) => objects.map((object) => object.key));
    try {
      // Whole folders are listed only where much can have gathered: at a claim and at a stage's end.
      if (save.finished) await this.sweep(add, signal, doubles);
      else await this.update(add, signal, doubles);
    } catch (cause) {
      if (cause instanceof LeaseLost)
        await this.withdraw([...partKeys(checkpoint), ...(save.events ? [save.events.key] : [])]);
      throw cause;
    }
    return { step: save.step, key, modelSha256 };
  }

  /** Changes the manifest, drops what retention does not keep, and deletes what it says to be discarded. */
  private async update(
    change: (manifest: Manifest) => Manifest,
    signal?: AbortSignal,
    unwanted: readonly string[] = [],
  ): Promise<void> {
    await this.claimed.update((before) => {
      const changed = change(before);
      const { kept, dropped } = retain(changed.checkpoints, this.job.configuration.checkpoints);
      const names = [...dropped.flatMap(partKeys), ...unwanted, ...before.events.map((segment) => segment.key)];
      return discarding({ ...changed, checkpoints: kept }, names, this.gone);
    }, signal);
    const discarded = discardedObjects(this.manifest);
    if (await this.discard(discarded)) this.gone = new Set(discarded);
  }

  private async sweep(
    change: (manifest: Manifest) => Manifest,
    signal?: AbortSignal,
    doubles: readonly string[] = [],
  ): Promise<void> {
    const { run, stage } = this.manifest;
    const there = await listStageObjects(this.store, run, stage);
    const { overtaken } = this.claimed;
    const unnamed = unnamedObjects(there, change(this.manifest), { overtaken, isOld: await this.isOld() });
    const left = new Set(
      [...there.checkpoints.flatMap(({ objects }) => objects), ...there.events].map(({ key }) => key),
    );
    this.gone = new Set(discardedObjects(this.manifest).filter((name) => !left.has(name)));
    const uploads = await this.unfinishedUploads();
    // What the manifest says to be discarded outlives this process; so nobody need be remembered who left it.
    const swept = ({ overtaken: _, ...manifest }: Manifest): Manifest => change(manifest);
    await this.update(swept, signal, [...doubles, ...unnamed.filter((key) => isDiscardable(key, run, stage))]);
    await this.discard(unnamed);
    const named = new Set(this.manifest.checkpoints.map(({ key }) => key));
    this.unnamed = there.checkpoints.filter(({ key, isWhole }) => isWhole && !named.has(key));
    await this.store.abandonUploads(uploads).catch(() => undefined);
  }

  /** By the store's own clock: that of this machine may be wrong. */
  private async isOld(): Promise<(object: ObjectInformation) => boolean> {
    const { run, stage } = this.manifest;
    const now = (await this.store.head(keys.manifest(run, stage)))?.modified ?? new Date(0);
    // Runs of earlier versions have no such setting.
    const { sweepAfterHours = 24 } = this.job.configuration.checkpoints as Partial<CheckpointConfiguration>;
    return ({ modified }) => sweepAfterHours === 0 || now.getTime() - modified.getTime() >= sweepAfterHours * 3_600_000;
  }

  /**
   * Parts of large files that killed attempts were uploading. Where they may not be listed, the bucket's owner sees to them.
   */
  private async unfinishedUploads(): Promise<UnfinishedUpload[]> {
    const { run, stage } = this.manifest;
    try {
      return await this.store.unfinishedUploads(`${keys.checkpoints(run, stage)}/`);
    } catch (cause) {
      if (cause instanceof CredentialsExpired) throw cause;
      return [];
    }
  }

  /** Deletes what this attempt uploaded, and can never come to count: another has taken over. */
  private async withdraw(names: readonly string[]): Promise<void> {
    try {
      const { run, stage } = this.manifest;
      const manifest = (await readVersion(this.store, run, stage))?.manifest;
      // The write may have arrived before the other's claim.
      if (manifest) await this.store.delete(discardedObjects({ ...manifest, discarded: [...names] }));
    } catch {
      // The lost lease is what has to be reported; an incomplete folder is swept when it is old.
    }
  }

  /**
   * What the manifest does not name does not count: where it cannot be deleted now, a later write or sweep has it.
   *
   * @returns whether it is gone.
   */
  private async discard(names: readonly string[]): Promise<boolean> {
    try {
      await this.store.delete(names);
      return true;
    } catch (cause) {
      if (cause instanceof StoreAccessDenied) throw cause;
      return false;
    }
  }
}
