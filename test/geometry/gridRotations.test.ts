import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridRotations } from '../../geometry/gridRotations.js';

const key = (rotation: Float32Array): string => rotation.join();

test('every sample and grid of every step has a rotation of its own, the same every time', () => {
  const rotations = [
    ...[0, 1, 300_000].map((step) => gridRotations(7, 'coarse', step, 2, 1)),
    gridRotations(8, 'coarse', 0, 2, 1),
    gridRotations(7, 'refinement', 0, 2, 3),
  ];
  assert.deepEqual(gridRotations(7, 'coarse', 1, 2, 1), rotations[1]);
  const single = rotations.flatMap((some) =>
    Array.from({ length: some.length / 9 }, (_, grid) => some.slice(9 * grid, 9 * grid + 9)),
  );
  assert.equal(single.length, 14);
  assert.equal(new Set(single.map(key)).size, 14);
  for (const r of single) {
    const rows = [r.subarray(0, 3), r.subarray(3, 6), r.subarray(6, 9)] as const;
    const dot = (a: Float32Array, b: Float32Array): number => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
    for (const [i, row] of rows.entries()) {
      for (const [j, other] of rows.entries()) assert.ok(Math.abs(dot(row, other) - (i === j ? 1 : 0)) < 1e-6);
    }
  }
});
