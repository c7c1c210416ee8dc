import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import type { CheckpointStage, EventSegment } from '../manifest/manifestSchema.js';
import { SegmentFile } from './segmentFile.js';
import { meshRecords, type EventMesh } from './pluginRecords.js';
import { pictureRecord, scalarRecord, versionRecord, type EventPicture } from './eventRecords.js';

export interface EventLogPlace {
  readonly store: ObjectStore;
  readonly run: string;
  readonly stage: CheckpointStage;
  readonly attempt: string;
}

/** A segment that ends at a checkpoint: to be uploaded before the manifest names it. */
export interface SealedSegment extends EventSegment {
  readonly body: Uint8Array;
  upload(signal?: AbortSignal): Promise<void>;
}

/** Receives what is to be shown. */
export interface EventRecorder {
  scalar(step: number, tag: string, scalar: number): void;
  picture(step: number, tag: string, picture: EventPicture): void;
  mesh(step: number, tag: string, mesh: EventMesh): void;
}

/**
 * What TensorBoard shows, written in segments from checkpoint to checkpoint. A sealed segment counts with its checkpoint;
 * the open one of an attempt that ended is thrown away, for its steps are done again: no gaps, no doubled points.
 */
export class EventLog implements EventRecorder {
  private records: Buffer[] = [];
  private uploadedRecords = 0;
  private file: SegmentFile;

  /** @param from the step of the checkpoint that training goes on from; the segment holds the steps after it. */
  constructor(
    private readonly place: EventLogPlace,
    private from: number,
    private readonly now: () => number = () => Date.now() / 1000,
  ) {
    this.file = this.nextFile();
  }

  scalar(step: number, tag: string, scalar: number, wallTime = this.now()): void {
    this.records.push(scalarRecord(wallTime, step, tag, scalar));
  }

  picture(step: number, tag: string, picture: EventPicture, wallTime = this.now()): void {
    this.records.push(pictureRecord(wallTime, step, tag, picture));
  }

  mesh(step: number, tag: string, mesh: EventMesh, wallTime = this.now()): void {
    this.records.push(...meshRecords(wallTime, step, tag, mesh));
  }

  /** Ends the segment at a checkpoint's step and begins the next one. null if nothing was written. */
  seal(step: number): SealedSegment | null {
    const { file, body, from } = this;
    const sealed: SealedSegment | null =
      this.records.length > 0
        ? { key: file.key, from, to: step, body, upload: (signal) => file.put(body, signal) }
        : null;
    this.records = [];
    this.uploadedRecords = 0;
    this.from = step;
    this.file = this.nextFile();
    return sealed;
  }

  /** Uploads the segment as far as it goes, for those who watch. */
  async uploadOpen(signal?: AbortSignal): Promise<void> {
    if (this.records.length === this.uploadedRecords) return;
    const { file, body } = this;
    this.uploadedRecords = this.records.length;
    await file.put(body, signal);
  }

  private nextFile(): SegmentFile {
    const { store, run, stage, attempt } = this.place;
    return new SegmentFile(store, keys.eventSegment(run, stage, this.from, attempt));
  }

  private get body(): Uint8Array {
    return Buffer.concat([versionRecord(this.now()), ...this.records]);
  }
}
