import { availableParallelism } from 'node:os';
import { ThreadPool } from '../threads/threadPool.js';
import type { FrameResult, FrameTask, ObjectPlace } from './readFrame.js';

export interface ReadObject {
  /** Valid while the frame is in use. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export type ReadFrame =
  | { readonly images: ReadObject; readonly scan: ReadObject | null; readonly registration: ReadObject | null }
  | { readonly reason: string };

const mostThreads = 4;

/**
 * Threads that read and check frames, started with the first one. The memory that a frame was read to goes back to them:
 * allocated anew for each, collecting the garbage took a fifth of packing.
 */
export class FrameReaders {
  private pool: ThreadPool<FrameTask, FrameResult> | null = null;
  private readonly spare: SharedArrayBuffer[] = [];

  /** @throws ThreadFailed for errors of the file system, and what `use` throws. */
  async read<Used>(task: Omit<FrameTask, 'memory'>, use: (frame: ReadFrame) => Promise<Used>): Promise<Used> {
    this.pool ??= new ThreadPool(
      new URL('./readFrameThread.js', import.meta.url),
      null,
      Math.min(mostThreads, availableParallelism()),
    );
    const given = this.spare.pop() ?? new SharedArrayBuffer(0);
    const result = await this.pool.run({ ...task, memory: given });
    const { memory } = result;
    const used = await use('reason' in result ? result : objectsIn(memory, result));
    // After a failure some request may still read from it.
    this.spare.push(memory);
    return used;
  }

  async close(): Promise<void> {
    await this.pool?.close();
  }
}

function objectsIn(
  memory: SharedArrayBuffer,
  { images, scan, registration }: Exclude<FrameResult, { reason: string }>,
) {
  const object = ({ start, size, sha256 }: ObjectPlace): ReadObject => ({
    bytes: Buffer.from(memory, start, size),
    sha256,
  });
  return { images: object(images), scan: scan && object(scan), registration: registration && object(registration) };
}
