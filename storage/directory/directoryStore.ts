import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type BigIntStats } from 'node:fs';
import { link, open, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../../disk/makeFolder.js';
import { withCleanUp } from '../async/cleanUp.js';
import { isAlive, withLock } from './directoryLock.js';
import { checkKey } from '../objectKey.js';
import {
  ChecksumMismatch,
  ObjectNotFound,
  PreconditionFailed,
  type ObjectInformation,
  type ObjectStore,
  type PutOptions,
} from '../types.js';

/** Beside the objects, hidden from lists: what is being written, and the locks of conditional puts. */
const temporaryFolder = '.temporary';
const lockFolder = '.locks';

/**
 * A folder as an object store: every object is a plain file. Objects appear whole (written aside, then renamed).
 * Conditional puts are safe between processes of one machine, among themselves; a key that is written conditionally must
 * never be written without a condition.
 */
export function directoryStore(root: string): ObjectStore {
  const folder = resolve(root);
  const pathOf = (key: string): string => join(folder, checkKey(key));

  const informationOf = async (key: string): Promise<ObjectInformation | null> => {
    try {
      const found = await stat(pathOf(key), { bigint: true });
      return found.isFile() ? describe(key, found) : null;
    } catch (cause) {
      if (isMissing(cause)) return null;
      throw cause;
    }
  };

  /** Moves a finished file to its key, if the condition holds. */
  const publish = async (key: string, temporary: string, options: PutOptions): Promise<void> => {
    const path = pathOf(key);
    await makeFolder(dirname(path));
    if (options.ifAbsent) {
      try {
        await link(temporary, path);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw new PreconditionFailed(key, folder);
        throw cause;
      }
      await unlink(temporary);
    } else if (options.ifMatch !== undefined) {
      const lock = join(folder, lockFolder, createHash('sha256').update(key).digest('hex'));
      await withLock(lock, async () => {
        if ((await informationOf(key))?.etag !== options.ifMatch) throw new PreconditionFailed(key, folder);
        await rename(temporary, path);
      });
    } else {
      await rename(temporary, path);
    }
  };

  return {
    description: folder,

    async get(key, options = {}) {
      let file;
      try {
        file = await open(pathOf(key), 'r');
      } catch (cause) {
        throw isMissing(cause) ? new ObjectNotFound(key, folder) : cause;
      }
      return withCleanUp(
        async () => {
          const found = await file.stat({ bigint: true });
          if (!found.isFile()) throw new ObjectNotFound(key, folder);
          const information = describe(key, found);
          const start = Math.min(options.range?.start ?? 0, information.size);
          const end = Math.min(options.range?.end ?? information.size, information.size);
          const body = new Uint8Array(Math.max(0, end - start));
          let filled = 0;
          while (filled < body.length) {
            options.signal?.throwIfAborted();
            const { bytesRead } = await file.read(body, filled, body.length - filled, start + filled);
            if (bytesRead === 0) throw new Error(`${pathOf(key)} became shorter while it was read.`);
            filled += bytesRead;
          }
          return { body, information };
        },
        () => file.close(),
      );
    },

    async download(key, path, options = {}) {
      const information = await informationOf(key);
      if (!information) throw new ObjectNotFound(key, folder);
      const temporary = `${path}.${randomUUID()}.part`;
      await makeFolder(dirname(path));
      const work = async (): Promise<ObjectInformation> => {
        await pipeline(createReadStream(pathOf(key)), createWriteStream(temporary), { signal: options.signal });
        await rename(temporary, path);
        return information;
      };
      return withCleanUp(work, () => rm(temporary, { force: true }));
    },

    async put(key, body, options = {}) {
      checkKey(key);
      const temporary = join(folder, temporaryFolder, `${hostname()}.${process.pid}.${randomUUID()}`);
      await makeFolder(dirname(temporary));
      const work = async (): Promise<ObjectInformation> => {
        const sha256 = await write(temporary, body, options.signal);
        if (options.sha256 !== undefined && options.sha256 !== sha256) {
          throw new ChecksumMismatch(key, folder, options.sha256, sha256);
        }
        await markVersion(temporary);
        const written = await stat(temporary, { bigint: true });
        await publish(key, temporary, options);
        return describe(key, written);
      };
      return withCleanUp(work, () => rm(temporary, { force: true }));
    },

    head: informationOf,

    async *list(prefix) {
      for (const key of await keysBelow(folder, prefix)) {
        const information = await informationOf(key);
        if (information) yield information;
      }
    },

    async delete(keys) {
      for (const key of keys) await rm(pathOf(key), { force: true });
    },

    async unfinishedUploads() {
      const names = await readdir(join(folder, temporaryFolder)).catch(() => []);
      return names.filter(isLeftBehind).map((id) => ({ key: '', id }));
    },

    async abandonUploads(uploads) {
      for (const { id } of uploads) await rm(join(folder, temporaryFolder, id), { force: true });
    },
  };
}

/** Whether a file that was being written is of a process of this machine that is gone. */
function isLeftBehind(name: string): boolean {
  const [, host, processId] = /^(.*)\.(\d+)\.[0-9a-f-]{36}$/.exec(name) ?? [];
  return host === hostname() && !isAlive(Number(processId));
}

function isMissing(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Gives a file a time of its own within the present second: inodes are used again at once, and file systems count time
 * in ticks of milliseconds, so that two versions of an object could look the same.
 */
async function markVersion(path: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000) + Math.random();
  await utimes(path, now, now);
}

/** Inode, time and size stand for the content, without reading it. */
function describe(key: string, found: BigIntStats): ObjectInformation {
  return {
    key,
    size: Number(found.size),
    etag: `${found.ino.toString(16)}-${found.mtimeNs.toString(16)}-${found.size.toString(16)}`,
    modified: new Date(Number(found.mtimeMs)),
  };
}

/** Writes and syncs a file; returns the hex SHA-256 of what was written. */
async function write(
  path: string,
  body: Uint8Array | { readonly path: string },
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  if (body instanceof Uint8Array) {
    signal?.throwIfAborted();
    hash.update(body);
    const file = await open(path, 'wx');
    await withCleanUp(
      async () => {
        await file.writeFile(body);
        await file.datasync();
      },
      () => file.close(),
    );
    return hash.digest('hex');
  }
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(body.path), tap, createWriteStream(path, { flush: true }), { signal });
  return hash.digest('hex');
}

/** Keys that start with a prefix (which may end in the middle of a name), in ascending order. */
async function keysBelow(folder: string, prefix: string): Promise<string[]> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  let entries;
  try {
    entries = await readdir(join(folder, start), { withFileTypes: true, recursive: true });
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw cause;
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((key) => key.startsWith(prefix) && !key.startsWith(temporaryFolder) && !key.startsWith(lockFolder))
    .sort();
}
