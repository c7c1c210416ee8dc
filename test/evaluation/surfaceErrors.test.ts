import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asEvaluation } from '../../evaluation/measure/asEvaluation.js';
import { measure } from '../../evaluation/measure/measure.js';
import { errorsAtVertices, pointToSurface, vertexErrors } from '../../evaluation/errors/surfaceErrors.js';
import { translated } from '../../evaluation/heads/rigidAlignment.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { buildTriangleTree } from '../../geometry/closestPoint/triangleTree.js';

/** A box of 20 mm around the origin: its distances are known. */
const box: Mesh = {
  vertices: Float32Array.from({ length: 24 }, (_, i) => ((Math.floor(i / 3) >> (i % 3)) & 1 ? 10 : -10)),
  faces: Uint32Array.of(
    ...[0, 2, 1, 1, 2, 3, 4, 5, 6, 5, 7, 6, 0, 1, 4, 1, 5, 4],
    ...[2, 6, 3, 3, 6, 7, 0, 4, 2, 2, 4, 6, 1, 3, 5, 3, 7, 5],
  ),
};
const points = Float32Array.of(13, 0, 0, 0, 0, -10, 0, 8, 0, 13, 14, 10, 0, 0, 25);

describe('point-to-surface errors', () => {
  test('outside, on, inside, beside an edge: the distance to the surface, without sign', () => {
    const { distances } = pointToSurface(buildTriangleTree(box), box.vertices, points);
    [3, 0, 2, 5, 15].forEach((expected, i) => assert.ok(Math.abs(distances[i]! - expected) < 1e-5));
  });

  test('errors are painted where the scan is, and nowhere else', () => {
    const closest = pointToSurface(buildTriangleTree(box), box.vertices, Float32Array.of(0, 1, 15, 1, 0, 17));
    const painted = errorsAtVertices(closest, box.faces, 8);
    for (let vertex = 0; vertex < 4; vertex++) assert.ok(Number.isNaN(painted[vertex]));
    for (const error of painted.filter((value) => !Number.isNaN(value))) assert.ok(error >= 5 && error <= 7);
  });

  test('vertex errors pair the vertices', () => {
    const moved = translated(box.vertices, [3, 0, 4]);
    assert.deepEqual([...vertexErrors(box.vertices, moved)], new Array(8).fill(5));
    assert.throws(() => vertexErrors(box.vertices, moved.subarray(3)), /8 and 7 vertices/);
  });
});

describe('a table of methods', async () => {
  const ids = ['0001', '0002'].map((frame) => ({ subject: 'S', sequence: 'talk', frame }));
  const table = async (registration: Float32Array | null) =>
    asEvaluation(
      await measure({
        description: 'boxes',
        methods: ['good', 'moved'],
        frames: ids,
        regions: null,
        load: async (id) => ({
          id,
          heads: new Map([
            ['good', box],
            ['moved', { ...box, vertices: translated(box.vertices, [id.frame === '0001' ? 1 : 3, 0, 0]) }],
          ]),
          scanPoints: Float32Array.of(10, 0, 0, 10, 1, 1),
          registration,
        }),
      }),
    );
  const { methods: rows, perFrame: frames, perSequence } = await table(box.vertices);

  test('every method is measured over the same frames', () => {
    assert.deepEqual(
      rows.map(({ method, pointToSurface: { count, mean }, vertices }) => [method, count, mean, vertices?.mean]),
      [
        ['good', 4, 0, 0],
        ['moved', 4, 2, 2],
      ],
    );
    assert.equal(rows[1]?.pointToSurfaceQuantiles.length, 20);
    assert.equal(rows[1]?.pointToSurfaceQuantiles.at(-1), 3);
  });

  test('a head that is only moved has no error once it is aligned, and all of it is pose', () => {
    const moved = rows[1];
    assert.ok(moved!.aligned!.vertices.mean < 1e-5 && moved!.aligned!.pointToSurface.mean < 1e-5);
    assert.ok(Math.abs(moved!.parts!.pose - Math.sqrt(5)) < 1e-5, 'the root of the mean of 1² and 3²');
    assert.ok(moved!.parts!.identity < 1e-3 && moved!.parts!.expression < 1e-3);
  });

  test('a frame has its own mean, a sequence the mean of its frames', () => {
    assert.equal(frames[1]?.pointToSurface['moved'], 3);
    assert.deepEqual(perSequence, [
      { subject: 'S', sequence: 'talk', frames: 2, pointToSurface: { good: 0, moved: 2 } },
    ]);
  });

  test('a test set without registrations has no vertex errors', async () => {
    const [row] = (await table(null)).methods;
    assert.deepEqual([row?.vertices, row?.aligned, row?.parts], [null, null, null]);
  });
});
