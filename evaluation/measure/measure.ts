import { setImmediate as breathe } from 'node:timers/promises';
import { bySequence, frameName } from '../../datasets/layout.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { FrameId } from '../../datasets/types.js';
import type { MeasurementState } from './measurementState.js';
import { MeasurementSums } from './measurementSums.js';
import type { MeasuredFrame, MeasuredSet, Measurement } from './types.js';

export interface MeasureOptions {
  readonly onFrame?: (done: number, total: number, problem: string | null) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures predictions against scans: from every scan point to the nearest point of the predicted mesh. A frame that cannot
 * be read is left out, for all methods, and noted. The next frame is read while one is measured.
 *
 * @param framesPerShard sums are added in shards of so many frames, as the evaluation of a run does: the same bits come out.
 * @throws Error when the signal is aborted.
 */
export async function measure(
  set: MeasuredSet,
  { onFrame, signal, framesPerShard = Infinity }: MeasureOptions & { readonly framesPerShard?: number } = {},
): Promise<Measurement> {
  // Sequence by sequence: the statistics of only one are under way at a time.
  const frames = bySequence(set.frames).flat();
  const sums = new MeasurementSums(set);
  for (let from = 0; from < frames.length; from += framesPerShard) {
    const shard = frames.slice(from, from + framesPerShard);
    const before = framesBefore(frames.slice(Math.max(0, from - reach), from), shard[0]);
    const told = (done: number, _: number, problem: string | null): void =>
      onFrame?.(from + done, frames.length, problem);
    sums.merge(await measureShard({ ...set, frames: shard, before }, { onFrame: told, ...(signal && { signal }) }));
  }
  return sums.result();
}

/** Frames before a shard's first that its figures depend on: of three that follow each other. */
export const reach = 2;

/** Those of the same sequence. */
export function framesBefore(frames: readonly FrameId[], first: FrameId | undefined): FrameId[] {
  return frames.filter(({ subject, sequence }) => subject === first?.subject && sequence === first.sequence);
}

/** Measures a set whose frames come sequence by sequence. @throws as `measure` does. */
export async function measureShard(set: MeasuredSet, options: MeasureOptions = {}): Promise<MeasurementState> {
  const sums = new MeasurementSums(set);
  const { frames, before = [] } = set;
  for (const id of before) {
    const found = await readable(set.load(id));
    if (!(found instanceof FrameUnreadable)) sums.addBefore(found);
  }
  const load = (id: FrameId | undefined) => {
    const reading = id === undefined ? null : set.load(id);
    reading?.catch(() => undefined);
    return reading;
  };
  let next = load(frames[0]);
  for (const [at, id] of frames.entries()) {
    options.signal?.throwIfAborted();
    const reading = next!;
    next = load(frames[at + 1]);
    const found = await readable(reading);
    let problem: string | null = null;
    if (found instanceof FrameUnreadable) {
      problem = `${frameName(id)}: ${found.reason}`;
      sums.leaveOut(id, found.reason);
    } else {
      const reference = sums.needsReference(found) ? await set.reference?.(id.subject) : undefined;
      sums.add(found, reference ?? undefined);
    }
    options.onFrame?.(at + 1, frames.length, problem);
    await breathe();
  }
  return sums.state();
}

async function readable(reading: Promise<MeasuredFrame>): Promise<MeasuredFrame | FrameUnreadable> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof FrameUnreadable) return error;
    throw error;
  }
}
