import { open, type FileHandle } from 'node:fs/promises';
import { answerProblem } from './host/answerProblem.js';
import type { BackOff } from './retrying/backOff.js';
import { explainWriteError } from './disk/writeErrors.js';
import { RangesUnsupported, VolumeChanged } from './errors.js';
import { requestFile, sameVersion, statedSize, validatorsOf, type HostCredentials } from './host/hostRequest.js';
import type { HttpAnswer } from './host/httpAnswer.js';
import { unlessStalled, withRetries } from './retrying/retries.js';
import type { DownloadRecord } from './disk/sidecar.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

export interface CompareOptions {
  readonly host: string;
  readonly credentials: HostCredentials;
  readonly backOff: BackOff;
  /** What is known of the file that is there. */
  readonly record: DownloadRecord;
  readonly file: string;
  /** Bytes of the file, `end` excluded. */
  readonly start: number;
  readonly end: number;
  /** Bytes compared so far. */
  readonly onBytes: (bytes: number) => void;
  readonly onWait: (reason: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Asks the host again for a piece of a fetched file, and puts right what differs.
 *
 * @returns how many bytes were wrong.
 * @throws VolumeChanged if the host has another version of the file now, RangesUnsupported; as `downloadFile`.
 */
export async function compareWithHost(options: CompareOptions): Promise<number> {
  const { record, file, start, end, host, backOff, signal } = options;
  const handle = await open(file, 'r+');
  let position = start;
  let wrong = 0;
  const receive = () =>
    unlessStalled(backOff, signal, async (signal, alive) => {
      const response = await askFrom(position, options, signal);
      for await (const received of response.body) {
        alive(received.length);
        const chunk = received.subarray(0, end - position);
        wrong += await putRight(handle, chunk, position, file);
        position += chunk.length;
        options.onBytes(position - start);
        if (position >= end) break;
      }
    });
  return withCleanUp(
    async () => {
      await withRetries(
        { host, path: record.path, backOff, onWait: options.onWait, ...(signal ? { signal } : {}) },
        async () => {
          while (position < end) await receive();
        },
        () => position,
      );
      if (wrong > 0) await handle.datasync();
      return wrong;
    },
    () => handle.close(),
  );
}

async function askFrom(position: number, options: CompareOptions, signal: AbortSignal): Promise<HttpAnswer> {
  const { host, credentials, record, end } = options;
  // Without `If-Range`: of another version, too, only the piece comes.
  const range = { Range: `bytes=${position}-${end - 1}` };
  const response = await requestFile(host, record.path, credentials, range, signal);
  if (response.status !== 416) {
    const problem = await answerProblem(response, host, record.path);
    if (problem) throw problem;
  }
  const size = statedSize(response);
  const changed = !sameVersion(record, validatorsOf(response)) || (size !== null && size !== record.size);
  if (response.status === 206 && !changed) return response;
  response.cancel();
  if (changed || response.status === 416) throw new VolumeChanged(`${record.path} is another file at ${host} now.`);
  throw new RangesUnsupported(`${host} sends ${record.path} only whole: a piece of it cannot be compared.`);
}

/** Writes a chunk where the file has other bytes. */
async function putRight(handle: FileHandle, chunk: Uint8Array, position: number, file: string): Promise<number> {
  const there = Buffer.alloc(chunk.length);
  await handle.read(there, 0, there.length, position);
  if (there.equals(chunk)) return 0;
  let wrong = 0;
  for (let i = 0; i < chunk.length; i++) if (there[i] !== chunk[i]) wrong++;
  try {
    await handle.write(chunk, 0, chunk.length, position);
  } catch (error) {
    throw explainWriteError(error, file);
  }
  return wrong;
}
