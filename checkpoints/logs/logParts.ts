import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';

/** One attempt at a step of a run. */
export interface LogPlace {
  readonly store: ObjectStore;
  readonly run: string;
  readonly step: string;
  /** Unlike any other attempt's; names sort by when they began. */
  readonly attempt: string;
}

export interface LogPartsOptions {
  /** From one upload to the next. */
  readonly seconds?: number;
  /** Bytes after which a part is full, and the next begins. */
  readonly partBytes?: number;
  /** Parts of an attempt at most: what it prints after them is only in its worker's own file. */
  readonly mostParts?: number;
}

/** Milliseconds for one upload: a log is not worth waiting for. */
const patience = 10_000;

/**
 * Puts what a process prints into the object store as it goes, so that a machine that vanishes leaves its log. The open part
 * is written again as it grows. A store that is away costs nothing but the log's end: what failed is tried with the next
 * upload.
 */
export class LogParts {
  private readonly waiting: { readonly number: number; readonly body: Buffer }[] = [];
  private open: Buffer[] = [];
  private openBytes = 0;
  private number = 1;
  private hasNews = false;
  private uploading: Promise<void> = Promise.resolve();
  private readonly clock: NodeJS.Timeout;

  constructor(
    private readonly place: LogPlace,
    private readonly options: LogPartsOptions = {},
  ) {
    this.clock = setInterval(() => void this.upload(), (options.seconds ?? 20) * 1000);
    this.clock.unref();
  }

  add(chunk: Buffer): void {
    const { partBytes = 256 * 1024, mostParts = 400 } = this.options;
    if (this.number > mostParts) return;
    this.open.push(chunk);
    this.openBytes += chunk.length;
    this.hasNews = true;
    if (this.openBytes < partBytes) return;
    this.waiting.push({ number: this.number++, body: Buffer.concat(this.open) });
    // A store that is away must not fill the memory.
    if (this.waiting.length > 16) this.waiting.shift();
    this.open = [];
    this.openBytes = 0;
  }

  /** Uploads what is new, after an upload that is under way. Never fails. */
  upload(): Promise<void> {
    this.uploading = this.uploading.then(() => this.put()).catch(() => undefined);
    return this.uploading;
  }

  /** Uploads the rest, if the store takes it in some seconds. */
  async close(): Promise<void> {
    clearInterval(this.clock);
    let clock: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => (clock = setTimeout(done, 3000)));
    await Promise.race([this.upload(), late]);
    clearTimeout(clock);
  }

  private async put(): Promise<void> {
    const { store, run, step, attempt } = this.place;
    const write = (number: number, body: Buffer) =>
      store.put(keys.logPart(run, step, attempt, number), body, { signal: AbortSignal.timeout(patience) });
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      await write(first.number, first.body);
      this.waiting.splice(this.waiting.indexOf(first), 1);
    }
    if (!this.hasNews || this.openBytes === 0) return;
    this.hasNews = false;
    try {
      await write(this.number, Buffer.concat(this.open));
    } catch (error) {
      this.hasNews = true;
      throw error;
    }
  }
}
