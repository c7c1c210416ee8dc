import type { FrameId } from '../../datasets/types.js';
import type { FrameEvaluation } from '../../evaluation/types.js';

/** Frames that are shown, at most. */
const framesShown = 6;

export interface ChosenFrame {
  readonly id: FrameId;
  /** Its name, and why it is shown. */
  readonly title: string;
}

/**
 * The frames of which a model's mean error is the least, in the middle and the largest, then others evenly spread over
 * the list.
 *
 * @param method whose errors decide.
 */
export function chooseFrames(perFrame: readonly FrameEvaluation[], method: string): ChosenFrame[] {
  const errorOf = (row: FrameEvaluation): number => row.pointToSurface[method] ?? Infinity;
  const sorted = [...perFrame].sort((a, b) => errorOf(a) - errorOf(b));
  const reasons = new Map<FrameEvaluation, string>();
  const choose = (row: FrameEvaluation | undefined, reason: string): void => {
    if (row !== undefined && !reasons.has(row)) reasons.set(row, reason);
  };
  choose(sorted[0], 'least error');
  choose(sorted[Math.floor((sorted.length - 1) / 2)], 'median error');
  choose(sorted.at(-1), 'largest error');
  for (let i = 0; i < framesShown && reasons.size < framesShown; i++) {
    choose(perFrame[Math.floor((i * perFrame.length) / framesShown)], '');
  }
  return [...reasons].map(([row, reason]) => {
    const { subject, sequence, frame } = row;
    const error = row.pointToSurface[method];
    const figure = error === undefined ? '' : `${error.toFixed(2)} mm`;
    const why = [reason, figure].filter((part) => part !== '').join(', ');
    return { id: { subject, sequence, frame }, title: `${subject} · ${sequence} · ${frame}${why && ` (${why})`}` };
  });
}
