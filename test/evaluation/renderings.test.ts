import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closeUp } from '../../report/frames/closeUp.js';
import { colourOfError, errorColours, unmeasuredColour } from '../../evaluation/renderings/colours.js';
import { errorVertexColours, renderMesh, withWidth } from '../../evaluation/renderings/renderings.js';
import { lookAt, projectPoints, type Camera } from '../../geometry/cameras/camera.js';
import { bumpyMesh } from '../geometry/meshes.js';

const head = bumpyMesh(16);
/** Sees the head of 200 mm in the middle of 100 × 80 pixels, about 20 of them wide. */
const camera: Camera = {
  name: '01_C',
  width: 100,
  height: 80,
  intrinsics: Float64Array.of(100, 0, 50, 0, 100, 40, 0, 0, 1),
  extrinsics: lookAt([0, 0, 1000], [0, 0, 0], [0, 1, 0]),
  distortion: [0, 0],
};
const pixel = ({ width, data }: { width: number; data: Uint8Array }, x: number, y: number) => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
];

describe('pictures of meshes', () => {
  test('the mesh is where the camera sees it, lit, on a dark background', () => {
    const picture = renderMesh(camera, head);
    assert.ok(Math.max(...pixel(picture, 50, 40)) > 120);
    assert.ok(Math.max(...pixel(picture, 5, 5)) < 50);
  });

  test('errors have the colours of the legend', () => {
    const errors = new Float32Array(head.vertices.length / 3).fill(10);
    const [red, , blue] = pixel(renderMesh(camera, head, errorVertexColours(errors, 10)), 50, 40);
    assert.ok(red! > 2 * blue!, 'the largest error is red');
    assert.deepEqual([...colourOfError(0, 10)], [...errorColours[0]]);
    assert.deepEqual([...colourOfError(99, 10)], [...errorColours.at(-1)!]);
    assert.deepEqual([...colourOfError(2.5, 10)], [...errorColours[1]]);
    assert.deepEqual([...colourOfError(NaN, 10)], [...unmeasuredColour]);
  });

  test('a close-up shows the same, larger: image and camera stay together', () => {
    const image = renderMesh(camera, head);
    const close = closeUp(camera, image, head.vertices);
    assert.ok(close.camera.width < 40 && close.camera.width === close.image.width);
    const drawn = renderMesh(close.camera, head);
    const difference = drawn.data.reduce((sum, value, i) => sum + Math.abs(value - close.image.data[i]!), 0);
    assert.ok(difference / drawn.data.length < 1, 'cropping what was drawn is drawing into the crop');
    const far = Float32Array.of(5000, 0, 0, 5100, 0, 0);
    assert.equal(closeUp(camera, image, far).image.width <= 100, true);
  });

  test('a larger picture shows the same part of the world', () => {
    const [x, y] = projectPoints(withWidth(camera, 300), Float32Array.of(100, 50, 0));
    const [smallX, smallY] = projectPoints(camera, Float32Array.of(100, 50, 0));
    assert.ok(Math.abs(x! - 3 * smallX!) < 1e-9 && Math.abs(y! - 3 * smallY!) < 1e-9);
  });
});
