import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findClosestPoints } from '../../geometry/closestPoint/closestPoint.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { counterRandom } from '../../geometry/random.js';
import { writeSquaredDistance } from '../../geometry/closestPoint/triangleDistance.js';
import { buildTriangleTree, refitTriangleTree } from '../../geometry/closestPoint/triangleTree.js';
import { goldenArray, goldenFaces } from '../support/golden/golden.js';
import { bumpyMesh, cube } from './meshes.js';

/** Every triangle for every point; of distances that agree to 1e-10 the lowest index. */
function bruteForce(mesh: Mesh, points: Float32Array): { faceIndices: number[]; distances: number[] } {
  const corners = Float32Array.from({ length: 3 * mesh.faces.length }, (_, i) => {
    return mesh.vertices[3 * mesh.faces[Math.floor(i / 3)]! + (i % 3)]!;
  });
  const faceIndices: number[] = [];
  const distances: number[] = [];
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = points.subarray(i, i + 3) as unknown as [number, number, number];
    const squares: number[] = [];
    const query = Float64Array.of(x, y, z, 0);
    for (let at = 0; at < corners.length; at += 9) {
      writeSquaredDistance(corners, at, query);
      squares.push(query[3]!);
    }
    const least = Math.min(...squares);
    faceIndices.push(squares.findIndex((square) => square <= least * (1 + 1e-10) + 1e-20));
    distances.push(Math.sqrt(least));
  }
  return { faceIndices, distances };
}

function assertAsBruteForce(mesh: Mesh, points: Float32Array, tree = buildTriangleTree(mesh)): void {
  const expected = bruteForce(mesh, points);
  const found = findClosestPoints(tree, points);
  assert.deepEqual([...found.faceIndices], expected.faceIndices);
  found.distances.forEach((distance, i) =>
    assert.ok(Math.abs(distance - expected.distances[i]!) <= 1e-6 * distance + 1e-6),
  );
}

function cloud(count: number, spread: number): Float32Array {
  const { gaussian } = counterRandom(count, 'cloud');
  return Float32Array.from({ length: 3 * count }, () => spread * gaussian());
}

describe('closest triangles equal an exhaustive search', () => {
  test('near, far, inside and outside', () => {
    const mesh = bumpyMesh(20, 1);
    assertAsBruteForce(mesh, cloud(500, 80));
    assertAsBruteForce(mesh, cloud(50, 1000));
  });

  test('closest triangles equal an exhaustive search: on the surface: vertices and edges belong to several triangles, the lowest index counts', () => {
    const mesh = bumpyMesh(12, 1);
    const middles = mesh.vertices.map((value, i) => (value + mesh.vertices[(i + 3) % mesh.vertices.length]!) / 2);
    assertAsBruteForce(mesh, mesh.vertices);
    assertAsBruteForce(mesh, middles);
    assertAsBruteForce(cube, Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.5, 0, -1, -1, -1, 2, 2, 0.5, 0.5, 0.5, 3));
  });

  test('a tree that is refitted to another shape of the topology stays exact', () => {
    const mesh = bumpyMesh(20);
    const tree = buildTriangleTree(mesh);
    const crumpled = { ...mesh, vertices: cloud(mesh.vertices.length / 3, 60) };
    refitTriangleTree(tree, crumpled.vertices);
    assertAsBruteForce(crumpled, cloud(200, 80), tree);
  });

  test('points far away from a crumpled mesh, along axes and diagonals too', () => {
    const mesh = bumpyMesh(20);
    const tree = buildTriangleTree(mesh);
    const crumpled = { ...mesh, vertices: cloud(mesh.vertices.length / 3, 5).map((value) => value - 40) };
    refitTriangleTree(tree, crumpled.vertices);
    assertAsBruteForce(crumpled, cloud(300, 90), tree);
    const signs = [-1, 0, 1];
    const directions = signs
      .flatMap((x) => signs.flatMap((y) => signs.map((z) => [x, y, z])))
      .filter((d) => d.some(Boolean));
    const middle = [0, 1, 2].map((axis) => tree.boxes[axis]!);
    const along = directions.flatMap((d) => d.map((sign, axis) => middle[axis]! + 100 * sign));
    assertAsBruteForce(crumpled, Float32Array.from(along), tree);
  });

  test('fewer triangles than a leaf holds, triangles without area, several that coincide', () => {
    const vertices = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 5, 5, 5);
    assertAsBruteForce({ vertices, faces: Uint32Array.of(0, 1, 2) }, cloud(30, 1));
    const faces = Uint32Array.of(3, 3, 3, 0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 0, 1, 0, 1, 3);
    assertAsBruteForce({ vertices, faces }, cloud(200, 3));
  });
});

for (const stage of ['coarse', 'refinement'] as const) {
  test(`${stage}: every closest triangle is the published system's, ties included`, () => {
    const faces = goldenFaces();
    const prediction = Float32Array.from(goldenArray(`${stage}/losses/pred`).data);
    const scan = Float32Array.from(goldenArray(`${stage}/losses/scan`).data);
    const golden = goldenArray(`${stage}/losses/face_index`).data;
    const meanDistance = goldenArray(`${stage}/losses/points2surface_distance`).data[0]!;
    const tree = buildTriangleTree({ vertices: prediction.subarray(0, prediction.length / 2), faces });
    let sum = 0;
    for (let sample = 0; sample < 2; sample++) {
      refitTriangleTree(
        tree,
        prediction.subarray((sample * prediction.length) / 2, ((sample + 1) * prediction.length) / 2),
      );
      const found = findClosestPoints(tree, scan.subarray(sample * 9000, (sample + 1) * 9000));
      assert.deepEqual([...found.faceIndices], [...golden.subarray(sample * 3000, (sample + 1) * 3000)]);
      for (const distance of found.distances) sum += distance / 6000;
    }
    assert.ok(Math.abs(sum - meanDistance) < 1e-5 * meanDistance, `mean distance ${sum}; published ${meanDistance}`);
  });
}

test('barycentric coordinates are those of the projection on the plane, beyond the triangle too', () => {
  const mesh = { vertices: Float32Array.of(0, 0, 1, 2, 0, 1, 0, 4, 1), faces: Uint32Array.of(0, 1, 2) };
  const found = findClosestPoints(buildTriangleTree(mesh), Float32Array.of(0.5, 1, 7, 4, -4, 1));
  assert.deepEqual([...found.barycentric], [0.5, 0.25, 0.25, 0, 2, -1]);
  assert.equal(found.distances[0], 6);
  assert.equal(found.distances[1], Math.fround(Math.hypot(2, 4)), 'the distance is to the triangle, not to its plane');
});

test('what is not finite is refused: a wrong triangle would go unnoticed in training', () => {
  const mesh = bumpyMesh(6);
  const tree = buildTriangleTree(mesh);
  assert.throws(() => findClosestPoints(tree, Float32Array.of(0, Number.NaN, 0)), /not finite/);
  const broken = mesh.vertices.slice();
  broken[3 * 7 + 1] = Number.POSITIVE_INFINITY;
  assert.throws(() => refitTriangleTree(tree, broken), /vertex 7 of 36 is missing or not finite/);
  assert.throws(() => refitTriangleTree(tree, mesh.vertices.subarray(0, 60)), /of 20 is missing/);
});

test('a tree in shared memory searches alike', () => {
  const mesh = bumpyMesh(10);
  const tree = buildTriangleTree(mesh);
  const share = <T extends Float32Array | Float64Array | Uint32Array>(array: T): T => {
    const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(
      new SharedArrayBuffer(array.byteLength),
    );
    copy.set(array);
    return copy;
  };
  const shared = {
    leafCount: tree.leafCount,
    leafStarts: share(tree.leafStarts),
    faceOfSlot: share(tree.faceOfSlot),
    verticesOfSlot: share(tree.verticesOfSlot),
    corners: share(tree.corners),
    boxes: share(tree.boxes),
  };
  const points = cloud(50, 80);
  assert.deepEqual(findClosestPoints(shared, points), findClosestPoints(structuredClone(tree), points));
});
