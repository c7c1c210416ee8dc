import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lookAt, projectPoints, type Camera } from '../../geometry/cameras/camera.js';
import {
  clearRaster,
  createRaster,
  interpolateAttributes,
  rasterizeTriangles,
} from '../../geometry/cameras/rasterizer.js';
import { nearnessPicture, visibilityWeights, visibleVertices } from '../../geometry/cameras/visibility.js';
import { assertGolden, goldenArray, goldenFaces } from '../support/golden/golden.js';
import { bumpyMesh } from './meshes.js';

describe('rasterizeTriangles', () => {
  const draw = (positions: number[], faces: number[], perspective = false) => {
    const raster = createRaster(6, 5);
    rasterizeTriangles(raster, Float64Array.from(positions), Uint32Array.from(faces), { perspective });
    return raster;
  };
  const covered = (faceIndices: Int32Array): string[] =>
    Array.from({ length: 5 }, (_, row) => {
      return Array.from(faceIndices.subarray(6 * row, 6 * row + 6), (face) => (face < 0 ? '.' : String(face))).join('');
    });

  test('a pixel is covered when its centre is inside or on the edge, from either side of the triangle', () => {
    const positions = [1, 1, 7, 4, 1, 7, 1, 4, 7];
    const expected = ['......', '.0000.', '.000..', '.00...', '.0....'];
    assert.deepEqual(covered(draw(positions, [0, 1, 2]).faceIndices), expected);
    assert.deepEqual(covered(draw(positions, [0, 2, 1]).faceIndices), expected);
    // A hundredth of a pixel further, the centres on the left and upper edges are outside.
    const moved = draw(
      positions.map((x) => x + 0.01),
      [0, 1, 2],
    );
    assert.deepEqual(covered(moved.faceIndices), ['......', '......', '..00..', '..0...', '......']);
  });

  test('the nearest wins, whichever is drawn first; of equals the first', () => {
    const square = (z: number): number[] => [0, 0, z, 9, 0, z, 0, 9, z];
    const faces = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    assert.ok(
      draw([...square(3), ...square(2), ...square(2)], faces).faceIndices.every((face) => face === 1 || face < 0),
    );
    assert.equal(draw([...square(1), ...square(2), ...square(3)], faces).faceIndices[0], 0);
    assert.equal(draw([...square(1), ...square(2), ...square(3)], faces).depth[0], 1);
  });

  test('rasterizeTriangles: without perspective depth and weights are linear in the picture', () => {
    const { depth, barycentric } = draw([0, 0, 10, 4, 0, 30, 0, 4, 50], [0, 1, 2]);
    assert.equal(depth[6 + 1], 25);
    assert.deepEqual([...barycentric.subarray(21, 24)], [0.5, 0.25, 0.25]);
    assert.equal(depth[5], Infinity);
  });

  test('rasterizeTriangles: with perspective they are those of the surface', () => {
    const camera: Camera = {
      name: 'c',
      width: 6,
      height: 5,
      intrinsics: Float64Array.of(3, 0, 2.5, 0, 3, 2, 0, 0, 1),
      extrinsics: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0),
      distortion: [0, 0],
    };
    // The plane z = 10 + x, much larger than the picture.
    const vertices = Float32Array.from([-8, -90, 2, 60, -90, 70, -8, 190, 2, 60, 190, 70]);
    const faces = Uint32Array.of(0, 1, 2, 1, 3, 2);
    const raster = createRaster(6, 5);
    rasterizeTriangles(raster, projectPoints(camera, vertices), faces, { perspective: true });
    const points = interpolateAttributes(raster, faces, vertices, 3, Number.NaN);
    for (let pixel = 0; pixel < 30; pixel++) {
      const slope = ((pixel % 6) - 2.5) / 3;
      const z = 10 / (1 - slope);
      assert.ok(Math.abs(raster.depth[pixel]! - z) < 1e-4 * z, `depth ${raster.depth[pixel]}; expected ${z}`);
      assert.ok(Math.abs(points[3 * pixel]! - slope * z) < 1e-3 && Math.abs(points[3 * pixel + 2]! - z) < 1e-3);
    }
  });

  test('triangles behind the camera, edge-on or outside the picture draw nothing', () => {
    assert.ok(draw([0, 0, 1, 9, 0, -1, 0, 9, 1], [0, 1, 2], true).faceIndices.every((face) => face < 0));
    assert.ok(draw([0, 0, 1, 2, 2, 1, 4, 4, 1], [0, 1, 2]).faceIndices.every((face) => face < 0));
    assert.ok(draw([-9, -9, 1, -2, -9, 1, -9, -2, 1], [0, 1, 2]).faceIndices.every((face) => face < 0));
    assert.ok(draw([NaN, 0, 1, 9, 0, 1, 0, 9, 1], [0, 1, 2]).faceIndices.every((face) => face < 0));
  });

  test('a cleared raster draws like a new one, and empty pixels get the background', () => {
    const raster = draw([0, 0, 1, 9, 0, 1, 0, 9, 1], [0, 1, 2]);
    clearRaster(raster);
    rasterizeTriangles(raster, Float64Array.of(1, 1, 7, 2, 1, 7, 1, 2, 7), Uint32Array.of(0, 1, 2));
    assert.deepEqual(covered(raster.faceIndices), ['......', '.00...', '.0....', '......', '......']);
    const picture = interpolateAttributes(raster, Uint32Array.of(0, 1, 2), Float32Array.of(4, 5, 6), 1, 9);
    assert.deepEqual([...picture.subarray(6, 15)], [9, 4, 5, 9, 9, 9, 9, 6, 9]);
  });
});

describe("visibility equals the published system's", () => {
  const mesh = {
    vertices: Float32Array.from(goldenArray('refinement/inputs/v_reg_global').data),
    faces: goldenFaces(),
  };
  const intrinsics = goldenArray('refinement/inputs/stereo_camera_intrinsics').data;
  const extrinsics = goldenArray('refinement/inputs/stereo_camera_extrinsics').data;
  const cameras = [0, 1, 2, 3].map((view): Camera => ({
    name: String(view),
    width: 400,
    height: 300,
    intrinsics: Float64Array.from(intrinsics.subarray(9 * view, 9 * view + 9)),
    extrinsics: Float64Array.from(extrinsics.subarray(12 * view, 12 * view + 12)),
    // Visibility leaves distortion out: a wild one must not matter.
    distortion: [3, -2],
  }));

  test('depth pictures', () => {
    assertGolden(
      'refinement/depth',
      cameras.flatMap((camera) => [...nearnessPicture(mesh, camera)]),
    );
  });

  test('rasterizeTriangles: of each vertex in each view, after the sigmoid', () => {
    assertGolden('refinement/visibility', visibilityWeights(mesh, cameras), 0);
  });
});

test('a convex surface is seen where it faces the camera', () => {
  const mesh = bumpyMesh(30);
  const camera: Camera = {
    name: 'front',
    width: 400,
    height: 300,
    intrinsics: Float64Array.of(600, 0, 200, 0, 600, 150, 0, 0, 1),
    extrinsics: lookAt([0, 0, 900], [0, 0, 0], [0, 1, 0]),
    distortion: [0, 0],
  };
  const visible = visibleVertices(mesh, [
    camera,
    { ...camera, extrinsics: lookAt([0, 0, -900], [0, 0, 0], [0, 1, 0]) },
  ]);
  const count = mesh.vertices.length / 3;
  for (let vertex = 0; vertex < count; vertex++) {
    const z = mesh.vertices[3 * vertex + 2]!;
    if (z < -40) assert.deepEqual([visible[vertex], visible[count + vertex]], [0, 1], `vertex ${vertex} at z = ${z}`);
  }
  const broken = mesh.vertices.slice();
  broken[3] = Number.NaN;
  assert.throws(() => visibleVertices({ ...mesh, vertices: broken }, [camera]), /view front: vertex 1 is not finite/);
});
