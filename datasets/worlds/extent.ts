/** Where points lie: a box that leaves out single points far away. */
export interface Extent {
  /** Along x, y, z. */
  readonly sides: readonly [number, number, number];
  readonly centre: readonly [number, number, number];
  readonly largestSide: number;
}

/** Share of a cloud's points, at each end of each axis, that may be stray. */
const stray = 0.01;

/** @param points `[N, 3]`, N above 0. */
export function extentOf(points: ArrayLike<number>): Extent {
  const axes = [0, 1, 2].map((axis) => {
    const values = Float64Array.from({ length: points.length / 3 }, (_, i) => points[3 * i + axis]!).sort();
    const left = Math.floor(stray * values.length);
    const [low, high] = [values[left]!, values[values.length - 1 - left]!];
    return { side: high - low, middle: (high + low) / 2 };
  });
  const sides = axes.map(({ side }) => side) as [number, number, number];
  const centre = axes.map(({ middle }) => middle) as [number, number, number];
  return { sides, centre, largestSide: Math.max(...sides) };
}

/** Human-readable: `161 × 240 × 194 mm about (0, -30, -28)`. */
export function inWords({ sides, centre }: Extent, unit = 'mm'): string {
  return `${sides.map(short).join(' × ')} ${unit} about (${centre.map(short).join(', ')})`;
}

export function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : `${Number(value.toPrecision(3))}`;
}
