import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faceAreas, vertexNormals } from '../../geometry/mesh/normals.js';
import { counterRandom } from '../../geometry/random.js';
import { sampleSurface } from '../../geometry/mesh/surfaceSampling.js';
import { expandRegion, uniqueEdges, vertexAdjacency } from '../../geometry/mesh/topology.js';
import { assertGolden, goldenArray, goldenFaces } from '../support/golden/golden.js';
import { cube } from './meshes.js';

describe('topology', () => {
  test('edges are those of the published system, in its order', () => {
    assert.deepEqual([...uniqueEdges(goldenFaces())], [...goldenArray('coarse/losses/edges').data]);
  });

  test('neighbours share an edge', () => {
    const edges = uniqueEdges(cube.faces);
    assert.equal(edges.length / 2, 18);
    const { starts, neighbours } = vertexAdjacency(edges, 9);
    assert.deepEqual([...neighbours.subarray(starts[0], starts[1])], [1, 2, 4]);
    assert.deepEqual([...neighbours.subarray(starts[1], starts[2])], [0, 2, 3, 4, 5]);
    assert.equal(starts[8], starts[9], 'vertex 8 is in no face');
  });

  test('rings grow a region by one step along edges each', () => {
    const adjacency = vertexAdjacency(uniqueEdges(cube.faces), 8);
    assert.deepEqual([...expandRegion(adjacency, [0], 0)], [0]);
    assert.deepEqual([...expandRegion(adjacency, [0], 1)], [0, 1, 2, 4]);
    assert.deepEqual([...expandRegion(adjacency, [0], 2)], [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...expandRegion(adjacency, [0], 9)], [0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('normals', () => {
  test('vertex normals are those of the published system', () => {
    const vertices = Float32Array.from(goldenArray('refinement/inputs/v_reg_global').data);
    assertGolden('refinement/normals', vertexNormals({ vertices, faces: goldenFaces() }));
  });

  test('areas of faces are in square units', () => {
    assert.deepEqual([...faceAreas(cube)], new Array(12).fill(0.5));
  });

  test('vertices of a face without area, or without a face, have the normal zero, not NaN', () => {
    const flat = { vertices: new Float32Array([0, 0, 0, 1, 1, 1, 2, 2, 2, 5, 5, 5]), faces: Uint32Array.of(0, 1, 2) };
    assert.deepEqual([...vertexNormals(flat)], new Array(12).fill(0));
  });
});

describe('sampleSurface', () => {
  // Two triangles in the plane z = 5; the second has nine times the area of the first.
  const uneven = {
    vertices: Float32Array.of(0, 0, 5, 1, 0, 5, 0, 1, 5, 10, 10, 5, 13, 10, 5, 10, 13, 5),
    faces: Uint32Array.of(0, 1, 2, 3, 4, 5),
  };

  test('points lie on the surface, uniformly by area', () => {
    const { points, faceIndices, barycentric } = sampleSurface(uneven, 20_000, counterRandom(1, 'surface').uniform);
    let inFirst = 0;
    let meanX = 0;
    for (let i = 0; i < 20_000; i++) {
      const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
      assert.ok(Math.abs(z! - 5) < 1e-6);
      const origin = faceIndices[i] === 0 ? 0 : 10;
      const side = faceIndices[i] === 0 ? 1 : 3;
      assert.ok(x! >= origin && y! >= origin && x! + y! <= 2 * origin + side + 1e-5, `(${x}, ${y}) is outside`);
      assert.ok(Math.abs(barycentric[3 * i + 1]! * side + origin - x!) < 1e-5);
      if (faceIndices[i] === 0) inFirst++;
      else meanX += x!;
    }
    assert.ok(Math.abs(inFirst - 2000) < 150, `${inFirst} of 20000 in a tenth of the area`);
    assert.ok(Math.abs(meanX / (20_000 - inFirst) - 11) < 0.03, 'the centroid of the larger triangle is at x = 11');
  });

  test('the same random numbers give the same points', () => {
    const once = sampleSurface(uneven, 10, counterRandom(4, 'a').uniform);
    assert.deepEqual(sampleSurface(uneven, 10, counterRandom(4, 'a').uniform), once);
    assert.notDeepEqual(sampleSurface(uneven, 10, counterRandom(4, 'b').uniform), once);
  });

  test('a face without area gets no point; a mesh without area is refused', () => {
    const faces = Uint32Array.of(0, 0, 1, 0, 1, 2, 2, 2, 2);
    const { faceIndices } = sampleSurface({ vertices: uneven.vertices, faces }, 100, counterRandom(5).uniform);
    assert.deepEqual(new Set(faceIndices), new Set([1]));
    assert.throws(
      () => sampleSurface({ vertices: uneven.vertices, faces: Uint32Array.of(0, 0, 1) }, 1, counterRandom(5).uniform),
      /area is 0/,
    );
  });
});
