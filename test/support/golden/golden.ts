import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../configs/packageRoot.js';
import { readNpy, type NpyArray } from './npy.js';

/**
 * The golden numbers (test/golden/README.md): what the published system computed for one synthetic case. Only what
 * the tests use is copied here, at the same relative paths as in the original.
 */
export function goldenPath(relative: string): string {
  return join(packageRoot, 'test', 'golden', relative);
}

/** A whole golden array, `coarse/losses/pred` for `coarse/losses/pred.npy`. */
export function goldenArray(name: string): NpyArray {
  return readNpy(goldenPath(`${name}.npy`));
}

interface GoldenEntry {
  readonly shape: readonly number[];
  readonly sampled?: number;
  readonly rms?: number;
  readonly float32_error?: number;
}

let index: Record<string, GoldenEntry> | undefined;

/** What index.json says of an array. */
export function goldenEntry(name: string): GoldenEntry {
  index ??= JSON.parse(readFileSync(goldenPath('index.json'), 'utf8')) as Record<string, GoldenEntry>;
  const entry = index[name];
  if (entry === undefined) throw new Error(`test/golden/index.json does not list ${name}`);
  return entry;
}

/** The README's hash: where sample k of an array lies is `goldenHash(k) % size`. */
export function goldenHash(x: number): number {
  x = (x ^ (x >>> 16)) >>> 0;
  x = Math.imul(x, 0x7feb352d) >>> 0;
  x = (x ^ (x >>> 15)) >>> 0;
  x = Math.imul(x, 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** Golden values and where they lie in the whole array (flat, C order, published layout). */
export function goldenValues(name: string): {
  readonly size: number;
  readonly at: Uint32Array;
  readonly data: NpyArray['data'];
} {
  const entry = goldenEntry(name);
  const size = entry.shape.reduce((product, side) => product * side, 1);
  const sampled = entry.sampled !== undefined;
  const { data } = goldenArray(sampled ? `${name}.sample` : name);
  const at = Uint32Array.from(data, (_, k) => (sampled ? goldenHash(k) % size : k));
  return { size, at, data };
}

/** The README's tolerance: three times the reference's own float32 error, or 1e-5 of the array's rms if larger. */
export function goldenTolerance(name: string): number {
  const entry = goldenEntry(name);
  const { data } = goldenValues(name);
  const squares = Array.from(data, (value) => value * value).reduce((sum, square) => sum + square, 0);
  const rms = entry.rms ?? Math.sqrt(squares / data.length);
  return Math.max(3 * (entry.float32_error ?? 0), 1e-5 * rms);
}

/** Largest difference between `actual` (the whole array in the published layout) and the golden values. */
export function goldenDifference(
  name: string,
  actual: ArrayLike<number>,
): { readonly difference: number; readonly at: number } {
  const golden = goldenValues(name);
  assert.equal(actual.length, golden.size, `${name}: ${actual.length} values; golden has ${golden.size}`);
  let difference = 0;
  let worst = 0;
  for (let k = 0; k < golden.data.length; k++) {
    const found = Math.abs(actual[golden.at[k]!]! - golden.data[k]!);
    // NaN must not pass for the smallest difference.
    if (!(found <= difference)) {
      difference = found;
      worst = golden.at[k]!;
      if (Number.isNaN(found)) break;
    }
  }
  return { difference, at: worst };
}

/**
 * Compares a whole array in the published layout with the golden one, at the README's tolerance (or a stated one).
 * @returns the largest difference.
 */
export function assertGolden(name: string, actual: ArrayLike<number>, tolerance = goldenTolerance(name)): number {
  const { difference, at } = goldenDifference(name, actual);
  assert.ok(
    difference <= tolerance,
    `${name}[${at}] is ${actual[at]}: off by ${difference}, tolerance ${tolerance}, largest of ${actual.length}`,
  );
  return difference;
}

/** The golden template's faces `[F, 3]`, counted from 0. */
export function goldenFaces(): Uint32Array {
  const lines = readFileSync(goldenPath('data/template.obj'), 'utf8').split('\n');
  const corners = lines.filter((line) => line.startsWith('f ')).flatMap((line) => line.trim().split(/\s+/).slice(1));
  return Uint32Array.from(corners, (corner) => Number.parseInt(corner, 10) - 1);
}
