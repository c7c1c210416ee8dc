import type { RunConfiguration } from '../configs/schema/run.js';
import type { CheckpointConfiguration, TrainingStage } from '../configs/schema/training.js';
import { checkConditionalPuts } from '../storage/conditionalPuts.js';
import { keys } from '../storage/keys.js';
import { mapLimited } from '../storage/mapLimited.js';
import {
  CredentialsExpired,
  StoreAccessDenied,
  type ObjectInformation,
  type ObjectStore,
  type UnfinishedUpload,
} from '../storage/types.js';
import type { CheckpointReference } from './reference.js';
import { ClaimedManifest } from './claimedManifest.js';
import { NoUsableCheckpoint } from './errors.js';
import { goingOnFrom, loadNewest } from './loadCheckpoint.js';
import { checkpointStageOf, type Manifest, type ManifestCheckpoint } from './manifest.js';
import { retain } from './retention.js';
import { listStageObjects } from './stageObjects.js';
import { strayObjects } from './strayObjects.js';
import type { CheckpointParts, TrainingState } from './trainingState.js';

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

/**
 * The checkpoints of a stage in the hands of the attempt that trains it. A checkpoint counts once the manifest names it:
 * its parts are there before, so a half-written one does not exist.
 */
export class CheckpointStore {
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

  get manifest(): Manifest {
    return this.claimed.manifest;
  }

  /**
   * The newest checkpoint that can be read. Damaged ones are put aside, with the events that came after what is returned:
   * those steps will be trained again. Where none can be read, nothing is changed.
   *
   * @param warn - is told once of all that was put aside.
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
      const before = this.manifest.events;
      await this.claimed.update((manifest) => goingOnFrom(found, manifest));
      const kept = new Set(this.manifest.events.map(({ key }) => key));
      await this.discard(before.map(({ key }) => key).filter((key) => !kept.has(key)));
      const what = damaged.map(({ message }) => `${message}. It is put aside.`);
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
    // Whole folders are listed only where much can have gathered: at a claim and at a stage's end.
    if (save.finished) await this.sweep(add, signal);
    else await this.replace(add, signal);
    return { step: save.step, key, modelSha256 };
  }

  private async replace(change: (manifest: Manifest) => Manifest, signal?: AbortSignal): Promise<void> {
    let dropped: ManifestCheckpoint[] = [];
    await this.claimed.update((manifest) => {
      const changed = change(manifest);
      const { kept, dropped: forgotten } = retain(changed.checkpoints, this.job.configuration.checkpoints);
      dropped = forgotten;
      return { ...changed, checkpoints: kept };
    }, signal);
    await this.discard(dropped.flatMap(({ key, parts }) => Object.keys(parts).map((name) => `${key}/${name}`)));
  }

  private async sweep(change: (manifest: Manifest) => Manifest, signal?: AbortSignal): Promise<void> {
    const { run, stage } = this.manifest;
    const there = await listStageObjects(this.store, run, stage);
    const { previousAttempt } = this.claimed;
    const strays = strayObjects(there, change(this.manifest), { previousAttempt, isOld: await this.isOld() });
    const uploads = await this.unfinishedUploads();
    await this.replace(change, signal);
    await this.discard(strays);
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

  /** Parts of large files that killed attempts were uploading. Where they may not be listed, the bucket's owner sees to them. */
  private async unfinishedUploads(): Promise<UnfinishedUpload[]> {
    const { run, stage } = this.manifest;
    try {
      return await this.store.unfinishedUploads(`${keys.checkpoints(run, stage)}/`);
    } catch (cause) {
      if (cause instanceof CredentialsExpired) throw cause;
      return [];
    }
  }

  /** What the manifest does not name does not count: where it cannot be deleted now, a later sweep has it. */
  private async discard(names: readonly string[]): Promise<void> {
    try {
      await this.store.delete(names);
    } catch (cause) {
      if (cause instanceof StoreAccessDenied) throw cause;
    }
  }
}
