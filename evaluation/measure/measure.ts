import { setImmediate as breathe } from 'node:timers/promises';
import { bySequence, frameName } from '../../datasets/layout.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { FrameId } from '../../datasets/types.js';
import { MeasurementSums } from './measurementSums.js';
import type { MeasuredSet, Measurement } from './types.js';

export interface MeasureOptions {
  readonly onFrame?: (done: number, total: number, problem: string | null) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures predictions against scans: from every scan point to the nearest point of the predicted mesh. A frame that cannot
 * be read is left out, for all methods, and noted. The next frame is read while one is measured.
 *
 * @throws Error when the signal is aborted.
 */
export async function measure(set: MeasuredSet, options: MeasureOptions = {}): Promise<Measurement> {
  const statistics = new MeasurementSums(set);
  const leftOut: Measurement['leftOut'][number][] = [];
  // Sequence by sequence: the statistics of only one are under way at a time.
  const frames = bySequence(set.frames).flat();
  const load = (id: FrameId | undefined) => {
    const reading = id === undefined ? null : set.load(id);
    reading?.catch(() => undefined);
    return reading;
  };
  let next = load(frames[0]);
  for (const [at, id] of frames.entries()) {
    options.signal?.throwIfAborted();
    const reading = next;
    next = load(frames[at + 1]);
    let problem: string | null = null;
    try {
      statistics.add((await reading)!);
    } catch (error) {
      if (!(error instanceof FrameUnreadable)) throw error;
      problem = `${frameName(id)}: ${error.reason}`;
      leftOut.push({ id, reason: error.reason });
    }
    options.onFrame?.(at + 1, frames.length, problem);
    await breathe();
  }
  return { ...statistics.result(), leftOut };
}
