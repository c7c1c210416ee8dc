import { open, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** How much of the limit is left after a clean-up: it must not come again with the next object. */
const keptShare = 0.9;
/**
 * What a user need not report to the others at once, as a share of the limit: a file a time would cost as much as writing it.
 */
const untoldShare = 0.001;
/** A decimal number of bytes, padded, and a line feed. */
const recordBytes = 16;
/** Milliseconds. What a killed process left half-written is this old when it goes. */
const leftoverAge = 3_600_000;
/** Milliseconds. A clean-up says that it is at it more often than this: one this old was killed. */
const staleAfter = 60_000;
const looksAtOnce = 16;

/**
 * Keeps a folder of cached files within a limit that holds for all processes and threads that write into it.
 *
 * Who has written files appends their size to a record that all share, and reads what the others have appended since. When
 * a tenth of the limit has been written since the last clean-up, the next writer cleans up: the files that were not used
 * for the longest time go, until nine tenths of the limit are left. So the limit is exceeded only by what is being written
 * at that moment, and what is not recorded yet. A process that ends before it has recorded what it wrote costs that until
 * the next clean-up, which measures what is there.
 */
export class CacheBudget {
  private readonly record: string;
  private readonly lock: string;
  private readonly state: string;
  private offset = 0;
  private sum = 0;
  private checked = false;
  /** Bytes that are in no record yet. */
  private untold = 0;

  /** @param onEvicted told of each file that had to go. */
  constructor(
    private readonly directory: string,
    private readonly limitBytes: number,
    private readonly onEvicted: (bytes: number) => void = () => {},
  ) {
    this.record = join(directory, '.written');
    this.lock = join(directory, '.cleaning');
    this.state = join(directory, '.cleaned.json');
  }

  /** Notes that a file of so many bytes was written, and cleans up if it is time. */
  async written(size: number): Promise<void> {
    this.untold += size;
    const first = !this.checked;
    if (!first && this.untold < this.limitBytes * untoldShare) return;
    const told = this.untold;
    this.untold = 0;
    const sum = await this.noted(told);
    this.checked = true;
    if (sum > this.limitBytes * (1 - keptShare) || (first && (await this.cleanedFor()) > this.limitBytes)) {
      await this.cleanUp();
    }
  }

  /** Appends a record; returns the sum of all since the last clean-up. */
  private async noted(size: number): Promise<number> {
    await makeFolder(this.directory);
    const file = await open(this.record, 'a+');
    return withCleanUp(
      async () => {
        // One write in append mode: records of others are before or behind it, never within.
        await file.appendFile(`${String(size).padStart(recordBytes - 1)}\n`);
        const { size: end } = await file.stat();
        if (end < this.offset) {
          this.offset = 0;
          this.sum = 0;
        }
        const fresh = Buffer.alloc(Math.max(0, end - this.offset));
        const { bytesRead } = await file.read(fresh, 0, fresh.length, this.offset);
        const whole = bytesRead - (bytesRead % recordBytes);
        for (const line of fresh.toString('latin1', 0, whole).split('\n')) this.sum += Number(line) || 0;
        this.offset += whole;
        return this.sum;
      },
      () => file.close(),
    );
  }

  /** The limit that the folder was brought to last; Infinity where that is not known. */
  private async cleanedFor(): Promise<number> {
    try {
      const { limitBytes } = JSON.parse(await readFile(this.state, 'utf8')) as { limitBytes?: unknown };
      return typeof limitBytes === 'number' ? limitBytes : Infinity;
    } catch {
      return Infinity;
    }
  }

  private async cleanUp(): Promise<void> {
    if (!(await this.locked())) return;
    await withCleanUp(
      async () => {
        do {
          await truncate(this.record);
          [this.offset, this.sum] = [0, 0];
          await this.removeOldest();
          // Others go on writing meanwhile, and leave it to whoever cleans up.
        } while ((await this.noted(0)) > this.limitBytes * (1 - keptShare));
        await writeFile(this.state, JSON.stringify({ limitBytes: this.limitBytes }));
      },
      () => rm(this.lock, { force: true }),
    );
  }

  /** false: another one is cleaning up. */
  private async locked(): Promise<boolean> {
    try {
      await writeFile(this.lock, String(process.pid), { flag: 'wx' });
      return true;
    } catch {
      const held = await stat(this.lock).catch(() => null);
      // The next writer has it then. Two at once would do no harm: they remove the same files. One of the future is from
      // before a clock was set back.
      if (held && Math.abs(Date.now() - held.mtimeMs) > staleAfter) await rm(this.lock, { force: true });
      return false;
    }
  }

  /** Looks at all files twice, for there may be millions: first at their sizes and times, then for those that go. */
  private async removeOldest(): Promise<void> {
    const [sizes, times]: number[][] = [[], []];
    await this.eachFile(async (path, size, used) => {
      if (path.includes('.', this.directory.length) && Date.now() - used > leftoverAge) await rm(path, { force: true });
      else {
        sizes!.push(size);
        times!.push(used);
      }
    });
    const kept = this.limitBytes * keptShare;
    let total = sizes!.reduce((sum, size) => sum + size, 0);
    if (total <= kept) return;
    const order = Uint32Array.from(sizes!.keys()).sort((a, b) => times![a]! - times![b]!);
    let left = total;
    let newest = -Infinity;
    for (const at of order) {
      if (left <= kept) break;
      left -= sizes![at]!;
      newest = times![at]!;
    }
    await this.eachFile(async (path, size, used) => {
      // What was used since it was looked at stays.
      if (used > newest || total <= kept) return;
      total -= size;
      if (await rm(path).then(truth, () => false)) this.onEvicted(size);
    });
  }

  private async eachFile(look: (path: string, size: number, used: number) => Promise<void>): Promise<void> {
    let told = performance.now();
    for (const folder of await readdir(this.directory)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      if (performance.now() - told > staleAfter / 10) {
        const now = new Date();
        await utimes(this.lock, now, now).catch(() => undefined);
        told = performance.now();
      }
      const names = await readdir(join(this.directory, folder)).catch(() => []);
      for (let from = 0; from < names.length; from += looksAtOnce) {
        const some = names.slice(from, from + looksAtOnce).map(async (name) => {
          const path = join(this.directory, folder, name);
          const information = await stat(path).catch(() => null);
          if (information?.isFile()) await look(path, information.size, information.mtimeMs);
        });
        await Promise.all(some);
      }
    }
  }
}

const truth = (): boolean => true;
