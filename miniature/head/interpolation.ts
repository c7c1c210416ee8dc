/** Small scalar helpers of the generator. */

/** 0 below `from`, 1 above `to` (or the reverse where `from` > `to`), smooth between. */
export function smoothStep(from: number, to: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** exp(−(d / width)²): a bump over one coordinate, 1 where the distance `d` from its middle is 0. */
export function bump(d: number, width: number): number {
  const squared = (d / width) ** 2;
  return squared > 30 ? 0 : Math.exp(-squared);
}

/** A place in the plane, mm. */
export type Place = readonly [number, number];

/** The same over two coordinates, around a place, with a width each. */
export function bump2(x: number, y: number, place: Place, width: number, height: number): number {
  const squared = ((x - place[0]) / width) ** 2 + ((y - place[1]) / height) ** 2;
  return squared > 30 ? 0 : Math.exp(-squared);
}

/**
 * A smooth curve through knots, with a column of values each: Catmull–Rom with finite differences as slopes.
 *
 * @param knots rows of [x, value, value, …], x ascending.
 * @param x is clamped to the knots' range. @param result receives the values.
 */
export function throughKnots(knots: readonly (readonly number[])[], x: number, result: Float64Array): void {
  let i = 0;
  while (i < knots.length - 2 && x > knots[i + 1]![0]!) i++;
  const before = knots[Math.max(0, i - 1)]!;
  const start = knots[i]!;
  const end = knots[i + 1]!;
  const after = knots[Math.min(knots.length - 1, i + 2)]!;
  const span = end[0]! - start[0]!;
  const t = Math.min(1, Math.max(0, (x - start[0]!) / span));
  const s = 1 - t;
  const startShare = s * s * (1 + 2 * t);
  const slopeAtStart = (s * s * t * span) / (end[0]! - before[0]!);
  const slopeAtEnd = (-t * t * s * span) / (after[0]! - start[0]!);
  for (let column = 1; column < start.length; column++) {
    result[column - 1] =
      startShare * start[column]! +
      (1 - startShare) * end[column]! +
      slopeAtStart * (end[column]! - before[column]!) +
      slopeAtEnd * (after[column]! - start[column]!);
  }
}
