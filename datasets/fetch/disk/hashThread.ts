import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { serveThread } from '../../threads/serveThread.js';

/** Asks for the SHA-256 of a file's first bytes. Under the same id only what is new is read. */
export interface HashTask {
  readonly id: number;
  readonly file: string;
  readonly length: number;
}

serveThread<HashTask, string>(() => {
  const begun = new Map<number, { readonly hash: Hash; done: number }>();
  const buffer = Buffer.allocUnsafe(1 << 20);
  return async ({ id, file, length }) => {
    const running = begun.get(id) ?? { hash: createHash('sha256'), done: 0 };
    begun.set(id, running);
    const opened = running.done < length ? openSync(file, 'r') : null;
    try {
      while (opened !== null && running.done < length) {
        const count = readSync(opened, buffer, 0, Math.min(buffer.length, length - running.done), running.done);
        if (count === 0) throw new Error(`${file} became shorter while its SHA-256 was computed.`);
        running.hash.update(buffer.subarray(0, count));
        running.done += count;
      }
    } finally {
      if (opened !== null) closeSync(opened);
    }
    return running.hash.copy().digest('hex');
  };
});
