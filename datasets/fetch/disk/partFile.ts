import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../../disk/makeFolder.js';
import type { Reserve } from './reserve.js';
import { explainWriteError } from './writeErrors.js';
import type { FileHashes, GrowingHash } from './fileHashes.js';
import { partPath, readRecord, recordPath, sizeOf, writeRecord, type FetchedFile } from './sidecar.js';
import type { Validators } from '../host/hostRequest.js';

const bufferedBytes = 1 << 20;
/** A killed process loses no more than this of a slow connection, ms. */
const flushEvery = 500;

/** What is known of the file at the host. */
export interface Version extends Validators {
  readonly size: number | null;
}

/**
 * A file on its way: `FILE.part` with its record, and the hash of what is there. It goes on where an earlier process
 * stopped.
 */
export class PartFile {
  /** How often the host's file turned out to be another one. */
  versions = 0;
  private readonly part: string;
  private hash: GrowingHash;
  private handle: FileHandle | null = null;
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  /** What is on its way to the disk; of one write at a time. */
  private writing: Promise<void> = Promise.resolve();
  private flushedAt = performance.now();

  private constructor(
    private readonly path: string,
    private readonly file: string,
    private written: number,
    private readonly hashes: FileHashes,
    /** As the host described it when the file was begun; null if nothing was. */
    private known: Version | null,
    private readonly reserve: Reserve,
  ) {
    this.part = partPath(file);
    this.hash = hashes.begin(this.part);
    this.hash.extend(written);
  }

  static async open(path: string, file: string, hashes: FileHashes, reserve: Reserve): Promise<PartFile> {
    await makeFolder(dirname(file)).catch((error: unknown) => {
      throw explainWriteError(error, file);
    });
    const record = await readRecord(partPath(file));
    const usable = record !== null && record.path === path;
    const length = usable ? ((await sizeOf(partPath(file))) ?? 0) : 0;
    return new PartFile(path, file, length, hashes, usable ? record : null, reserve);
  }

  /** Bytes that are there. */
  get length(): number {
    return this.written + this.pendingBytes;
  }

  get version(): Version | null {
    return this.known;
  }

  /** Begins, or goes on, with this version of the file. */
  async describe(version: Version): Promise<void> {
    this.known = version;
    await writeRecord(this.part, { path: this.path, ...version, sha256: null });
  }

  /** Forgets what is there: the file at the host is another one now. */
  async restart(): Promise<void> {
    await this.writing;
    this.pending = [];
    this.pendingBytes = 0;
    this.written = 0;
    this.hash = this.hashes.begin(this.part);
    this.known = null;
    if (this.handle) await this.handle.truncate(0);
    else await rm(this.part, { force: true });
    await rm(recordPath(this.part), { force: true });
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    const now = performance.now();
    if (this.pendingBytes >= bufferedBytes || now - this.flushedAt >= flushEvery) await this.flush();
  }

  /** Begins to write what is buffered; what was begun before is written then. @throws DiskFull */
  async flush(): Promise<void> {
    this.flushedAt = performance.now();
    await this.writing;
    if (this.pendingBytes === 0) return;
    const pieces = this.pending;
    const at = this.written;
    this.pending = [];
    this.written += this.pendingBytes;
    this.pendingBytes = 0;
    this.writing = this.write(pieces, at);
    // Whoever flushes next, or settles, gets the error.
    this.writing.catch(() => undefined);
  }

  /** Writes all that came. @throws DiskFull */
  async settle(): Promise<void> {
    await this.flush();
    await this.writing;
  }

  private async write(pieces: readonly Uint8Array[], at: number): Promise<void> {
    try {
      await this.reserve.claim(pieces.reduce((sum, { length }) => sum + length, 0));
      this.handle ??= await open(this.part, at === 0 ? 'w' : 'r+');
      let { bytesWritten: done } = await this.handle.writev(pieces, at);
      const size = pieces.reduce((sum, { length }) => sum + length, 0);
      const all = done < size ? Buffer.concat(pieces) : null;
      for (; all !== null && done < size;) {
        done += (await this.handle.write(all, done, size - done, at + done)).bytesWritten;
      }
      this.hash.extend(at + size);
    } catch (error) {
      throw explainWriteError(error, this.part);
    }
  }

  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    const handle = this.handle;
    this.handle = null;
    await handle?.close();
  }

  /** The whole file is there: it gets its name and its record. */
  async finish(): Promise<FetchedFile> {
    await this.settle();
    // What a power failure takes of an archive shows when it is extracted, and is repaired: the next volume need not wait
    // for the disk.
    if (!/\.zip(\.\d+)?$/.test(this.path)) {
      this.handle ??= await open(this.part, 'a');
      await this.handle.datasync().catch((error: unknown) => {
        throw explainWriteError(error, this.part);
      });
    }
    await this.close();
    const fetched = { path: this.path, size: this.written, sha256: await this.hash.digest(this.written) };
    const { etag = null, lastModified = null } = this.known ?? {};
    await rename(this.part, this.file);
    await writeRecord(this.file, { ...fetched, etag, lastModified });
    await rm(recordPath(this.part), { force: true });
    return fetched;
  }
}
