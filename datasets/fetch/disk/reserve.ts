import { readableBytes, reservedBytes, type FreeSpace } from './diskSpace.js';
import { DiskFull } from '../errors.js';

/** Bytes that may be written before the disk is looked at again. */
const mostAtOnce = 64_000_000;

/** Keeps what is left for others on a disk, also from bodies whose length was not announced. Shared by all downloads to it. */
export class Reserve {
  private credit = 0;

  constructor(
    private readonly directory: string,
    private readonly free: FreeSpace,
  ) {}

  /** To be called before so many bytes are written. @throws DiskFull */
  async claim(bytes: number): Promise<void> {
    if (this.credit < bytes) {
      const there = await this.free(this.directory);
      this.credit = Math.min(mostAtOnce + bytes, there - reservedBytes);
      if (this.credit < bytes) {
        this.credit = 0;
        throw new DiskFull(
          `The disk of ${this.directory} has only ${readableBytes(there)} left ` +
            `(${readableBytes(reservedBytes)} are left alone). Make room, and resume: what is there is kept.`,
        );
      }
    }
    this.credit -= bytes;
  }
}
