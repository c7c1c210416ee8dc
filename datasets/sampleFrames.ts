import { splitNames, type Split } from './types.js';

/**
 * So many frames, spread evenly over a data set, so that all its splits and as many subjects as can be are among them;
 * always the same ones.
 *
 * @param count null: all.
 */
export function sampleFrames<Frame extends { readonly split: Split }>(
  frames: readonly Frame[],
  count: number | null,
): Frame[] {
  if (count === null || count >= frames.length) return [...frames];
  if (count <= 0) return [];
  const chosen = new Set<Frame>();
  for (const split of splitNames) {
    const first = frames.find((frame) => frame.split === split);
    if (first && chosen.size < count) chosen.add(first);
  }
  // Where the even places are taken by a split's first, the next ones serve.
  for (let i = 0; chosen.size < count && i < 2 * frames.length; i++) {
    const place = i < count ? Math.floor(((i + 0.5) * frames.length) / count) : i - count;
    const frame = frames[place];
    if (frame) chosen.add(frame);
  }
  return frames.filter((frame) => chosen.has(frame));
}
