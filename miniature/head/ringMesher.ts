/**
 * Triangulates a surface over (v, θ), θ around and v from a pole downwards, with exactly as many vertices as are asked
 * for: a pole, rings whose numbers of vertices follow the surface's size, and strips of triangles between them. The
 * last ring is the open boundary, or a second pole closes the surface.
 */
export interface RingSurface {
  /** Length of a step in v over the wanted edge length there; only ratios count. */
  rowWeight(v: number): number;
  /** The same for a step in θ. */
  ringWeight(v: number, theta: number): number;
  /** Whether v = 1 is a pole too. */
  readonly closed: boolean;
}

export interface RingMesh {
  /** Parameters of each vertex. `[N]` */
  readonly v: Float64Array;
  readonly theta: Float64Array;
  /** Counter-clockwise seen from outside, where θ grows to the right when the pole is up. `[F, 3]` */
  readonly faces: Uint32Array;
  /** The vertices of the last ring; empty when the surface is closed. */
  readonly boundary: Uint32Array;
}

interface Ring {
  readonly start: number;
  readonly theta: readonly number[];
}

const samples = 256;

/** @param count N, 8 or more. */
export function meshByRings(surface: RingSurface, count: number): RingMesh {
  const poles = surface.closed ? 2 : 1;
  const { ringPositions, ringCounts } = planRings(surface, count - poles);
  const v = new Float64Array(count);
  const theta = new Float64Array(count);
  const rings: Ring[] = [{ start: 0, theta: [0] }];
  let next = 1;
  ringPositions.forEach((position, index) => {
    // Every other ring starts half a step aside: better triangles, and symmetric all the same.
    const angles = spreadAround(surface, position, ringCounts[index]!, index % 2 ? 0 : 0.5);
    rings.push({ start: next, theta: angles });
    angles.forEach((angle, k) => {
      v[next + k] = position;
      theta[next + k] = angle > Math.PI ? angle - 2 * Math.PI : angle;
    });
    next += angles.length;
  });
  const last = rings.at(-1)!;
  if (surface.closed) {
    v[next] = 1;
    rings.push({ start: next, theta: [0] });
  }
  const faces: number[] = [];
  for (let i = 1; i < rings.length; i++) stitch(rings[i - 1]!, rings[i]!, faces);
  const boundary = surface.closed ? [] : last.theta.map((_, k) => last.start + k);
  return { v, theta, faces: Uint32Array.from(faces), boundary: Uint32Array.from(boundary) };
}

/** As many rings as make the steps along v as long as those around, and each ring's share of the vertices. */
function planRings(surface: RingSurface, count: number): { ringPositions: number[]; ringCounts: number[] } {
  const cumulative = cumulate((t) => surface.rowWeight(t), 1);
  const girths = Array.from({ length: 65 }, (_, k) => girth(surface, k / 64));
  let best = { ringPositions: [] as number[], weights: [] as number[], mismatch: Infinity };
  for (let rings = 1; rings * 4 <= count; rings++) {
    const steps = surface.closed ? rings + 1 : rings;
    const ringPositions = Array.from({ length: rings }, (_, k) => invert(cumulative, (k + 1) / steps));
    const weights = ringPositions.map((v) => between(girths, 64 * v));
    const edge = cumulative.at(-1)! / steps;
    const wanted = weights.reduce((sum, weight) => sum + weight / edge, 0);
    const mismatch = Math.abs(wanted - count);
    if (mismatch < best.mismatch) best = { ringPositions, weights, mismatch };
  }
  return { ringPositions: best.ringPositions, ringCounts: share(count, best.weights, 4) };
}

/** The weighted length of a ring. */
function girth(surface: RingSurface, v: number): number {
  return cumulate((t) => surface.ringWeight(v, t), 2 * Math.PI).at(-1)!;
}

/** Linear interpolation in a table. */
function between(table: readonly number[], position: number): number {
  const i = Math.min(table.length - 2, Math.floor(position));
  return table[i]! + (table[i + 1]! - table[i]!) * (position - i);
}

/** Whole numbers that sum to `count`, in proportion to the weights as nearly as may be, none below `least`. */
function share(count: number, weights: readonly number[], least: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const free = count - least * weights.length;
  const exact = weights.map((weight) => (free * weight) / total);
  const counts = exact.map((value) => least + Math.floor(value));
  const order = exact.map((value, index) => ({ index, rest: value % 1 })).sort((a, b) => b.rest - a.rest);
  let left = count - counts.reduce((sum, value) => sum + value, 0);
  for (const { index } of order) {
    if (left-- <= 0) break;
    counts[index]!++;
  }
  return counts;
}

/** Angles in [0, 2π) from the front around, with steps in proportion to the wanted edge lengths. */
function spreadAround(surface: RingSurface, v: number, count: number, offset: number): number[] {
  const cumulative = cumulate((t) => surface.ringWeight(v, t), 2 * Math.PI);
  return Array.from({ length: count }, (_, k) => invert(cumulative, (k + offset) / count) * 2 * Math.PI);
}

/** Running integral of f over [0, range] at `samples` + 1 places. */
function cumulate(f: (t: number) => number, range: number): Float64Array {
  const sums = new Float64Array(samples + 1);
  for (let i = 0; i < samples; i++) {
    sums[i + 1] = sums[i]! + (f(((i + 0.5) / samples) * range) * range) / samples;
  }
  return sums;
}

/** Where, as a share of the range, the running integral reaches a share of its total. */
function invert(cumulative: Float64Array, share: number): number {
  const target = share * cumulative.at(-1)!;
  let i = 0;
  while (i < samples - 1 && cumulative[i + 1]! < target) i++;
  const step = cumulative[i + 1]! - cumulative[i]!;
  return Math.min(1, (i + (step > 0 ? (target - cumulative[i]!) / step : 0)) / samples);
}

/** The triangles between two neighbouring rings: always the side advances whose next edge ends earlier around. */
function stitch(upper: Ring, lower: Ring, faces: number[]): void {
  const at = (ring: Ring, k: number): number => ring.start + (k % ring.theta.length);
  // A pole has no angle of its own and never advances.
  const middle = (ring: Ring, k: number): number => {
    const n = ring.theta.length;
    if (n === 1) return Infinity;
    const angle = (index: number): number => ring.theta[index % n]! + (index >= n ? 2 * Math.PI : 0);
    return (angle(k) + angle(k + 1)) / 2;
  };
  const steps = (ring: Ring): number => (ring.theta.length === 1 ? 0 : ring.theta.length);
  let i = 0;
  let j = 0;
  while (i < steps(upper) || j < steps(lower)) {
    const advanceUpper = j >= steps(lower) || (i < steps(upper) && middle(upper, i) < middle(lower, j));
    if (advanceUpper) {
      faces.push(at(upper, i), at(lower, j), at(upper, i + 1));
      i++;
    } else {
      faces.push(at(upper, i), at(lower, j), at(lower, j + 1));
      j++;
    }
  }
}
