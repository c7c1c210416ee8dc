import type { EventSegment } from '../manifest/manifestSchema.js';

/** A segment of an event log as its name and its records tell. */
export interface SegmentCandidate {
  readonly key: string;
  readonly from: number;
  readonly attempt: string;
  readonly records: number;
  /** The last step of its records; null where there are none. */
  readonly lastStep: number | null;
}

interface Interval extends EventSegment {
  readonly weight: number;
}

/**
 * Which segments together are the event log up to the newest checkpoint: none that overlap, so that no point is doubled,
 * and of those the most records.
 *
 * A segment ends where its attempt's next one begins or where its attempt saved. Where neither is there any more (its
 * checkpoint was dropped by retention, and another attempt went on), it ends at the next place where anything begins.
 *
 * @param saved step and attempt of the checkpoints that count.
 */
export function chooseSegments(
  candidates: readonly SegmentCandidate[],
  saved: readonly { readonly step: number; readonly attempt: string }[],
): EventSegment[] {
  const newest = Math.max(-1, ...saved.map(({ step }) => step));
  const borders = [...candidates.map(({ from, attempt }) => ({ step: from, attempt })), ...saved];
  borders.sort((a, b) => a.step - b.step);
  const intervals = candidates
    .flatMap((candidate): Interval[] => {
      const { key, from, attempt, records } = candidate;
      const reached = candidate.lastStep ?? from;
      const own = borders.find((border) => border.attempt === attempt && border.step > from);
      const end = own ?? borders.find(({ step }) => step > from && step >= reached);
      if (end === undefined || end.step > newest || end.step < reached) return [];
      // Between two with the same records, the one whose end is known counts more.
      return [{ key, from, to: end.step, weight: 2 * records + (own ? 1 : 0) }];
    })
    .sort((a, b) => a.to - b.to);
  return heaviest(intervals).map(({ key, from, to }) => ({ key, from, to }));
}

/** Weighted interval scheduling. @param intervals in the order of their ends. */
function heaviest(intervals: readonly Interval[]): Interval[] {
  /** `best[n]`: of the first n. */
  const best = [0];
  const before: number[] = [];
  for (const [i, { from, weight }] of intervals.entries()) {
    let n = i;
    while (n > 0 && intervals[n - 1]!.to > from) n--;
    before.push(n);
    best.push(Math.max(best[i]!, best[n]! + weight));
  }
  const chosen: Interval[] = [];
  for (let n = intervals.length; n > 0;) {
    if (best[n] === best[n - 1]) n--;
    else {
      chosen.push(intervals[n - 1]!);
      n = before[n - 1]!;
    }
  }
  return chosen.reverse();
}

/** Ranges of steps between the first segment and the newest checkpoint whose events are gone. */
export function missingSteps(segments: readonly EventSegment[], newest: number): (readonly [number, number])[] {
  const gaps: (readonly [number, number])[] = [];
  let reached = segments[0]?.from ?? newest;
  for (const { from, to } of [...segments, { from: newest, to: newest }]) {
    if (from > reached) gaps.push([reached, from]);
    reached = Math.max(reached, to);
  }
  return gaps;
}
