/** What a figure may differ by, from one part of a soak to another, and still count as the same. */
export interface Slack {
  readonly share: number;
  readonly least: number;
}

export interface Growth {
  readonly from: number;
  readonly to: number;
}

/** A verdict needs as many rounds after the first, in which caches fill and code is compiled. */
export const roundsForVerdict = 3;

/**
 * Whether a figure grows from round to round: the middle of the rounds' last third is above that of their first third, and
 * above that of their second. One that rises and then stays (a heap that has found its size, a cache that is full) does not grow.
 *
 * @param values by round; the first round's is left out.
 * @returns null where it does not grow, or where there are too few rounds to tell.
 */
export function growth([, ...values]: readonly number[], { share, least }: Slack): Growth | null {
  if (values.length < roundsForVerdict) return null;
  const third = Math.floor(values.length / 3);
  const [first, second, last] = [
    values.slice(0, third),
    values.slice(third, values.length - third),
    values.slice(values.length - third),
  ].map(median) as [number, number, number];
  const allowed = Math.max(share * first, least);
  // Half of the time brings half of the growth.
  const grows = last - first > allowed && last - second > allowed / 3;
  return grows ? { from: first, to: last } : null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
