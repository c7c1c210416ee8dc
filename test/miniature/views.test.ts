import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cameraCentre, projectPoints, rotateCounterClockwise, type Camera } from '../../geometry/cameras/camera.js';
import { vertexNormals } from '../../geometry/mesh/normals.js';
import { cameraRig, rigCamera, storedCamera } from '../../miniature/scene/cameraRig.js';
import { generateHeadTemplate } from '../../miniature/head/headTemplate.js';
import { renderView } from '../../miniature/appearance/renderer.js';
import { miniatureSettings } from '../../miniature/settings.js';
import { openStudio, seatSubject } from '../../miniature/subject.js';
import { cameraFromTka, parseTka } from '../../datasets/formats/tka.js';
import type { RgbImage } from '../../datasets/formats/images/rgbImage.js';
import type { Texture } from '../../miniature/appearance/textures.js';

const settings = miniatureSettings('miniature', { textureSize: 64, seed: 5, sensor: { width: 640, height: 480 } });
const template = generateHeadTemplate(settings.vertexCount);
const studio = openStudio(settings, template);
const subject = seatSubject(studio, 'somebody', 0);
// A face at rest, as in no sequence of the set: lips that part would hide half of a spot.
const head = subject.capture(0, 'at_rest', 0.4);
const views = cameraRig(settings, 0, 0);

/** A subject whose texture is black, but for a small spot of light at a vertex if one is named. */
function spotTexture(vertex?: number): Texture[] {
  const size = 1024;
  const texels = new Float32Array(4 * size * size);
  const black = { size: 4, texels: new Float32Array(64) };
  if (vertex === undefined) return [black, black, black];
  const column = Math.round(((template.chart[2 * vertex]! + 1) / 2) * size - 0.5);
  const row = Math.round(((template.chart[2 * vertex + 1]! + 1) / 2) * size - 0.5);
  for (let dy = -3; dy <= 3; dy++) {
    for (let dx = -3; dx <= 3; dx++)
      texels.fill(2, 4 * ((row + dy) * size + column + dx), 4 * ((row + dy) * size + column + dx) + 3);
  }
  return [{ size, texels }, black, black];
}

/** The middle of what is brighter than in another picture; pixel (0, 0) has its centre at ½, ½. */
function centreOfLight({ width, data }: RgbImage, dark: RgbImage): { x: number; y: number; light: number } {
  const linear = (value: number): number => (value / 255) ** 2.2;
  let [x, y, light] = [0, 0, 0];
  for (let i = 0; i < data.length / 3; i++) {
    const value = Math.max(0, linear(data[3 * i]!) - linear(dark.data[3 * i]!));
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
    light += value;
  }
  return { x: x / light, y: y / light, light };
}

/** `numpy.rot90` of a picture: its right side becomes its top. */
function rotatePicture({ width, height, data }: RgbImage): RgbImage {
  const rotated = new Uint8Array(data.length);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < height; column++) {
      const from = 3 * (column * width + (width - 1 - row));
      rotated.set(data.subarray(from, from + 3), 3 * (row * height + column));
    }
  }
  return { width: height, height: width, data: rotated };
}

const normals = vertexNormals({ vertices: head.vertices, faces: template.mesh.faces });

/** Cosine of the angle between a vertex's normal and the way to a camera: below 0 it is turned away. */
function facing(vertex: number, camera: Camera): number {
  const way = cameraCentre(camera).map((place, axis) => place - head.vertices[3 * vertex + axis]!);
  const along = way.reduce((sum, length, axis) => sum + length * normals[3 * vertex + axis]!, 0);
  return along / Math.hypot(...way);
}

const spots = [...template.regions.face, ...template.regions.scalp].filter((_, i) => i % 3 === 0);

describe('a vertex is seen where its calibration projects it', () => {
  for (const view of views.filter(({ name }) => ['00_A', '01_B', settings.portraitView, '03_A'].includes(name))) {
    test(`${view.name}${view.name === settings.portraitView ? ' (portrait)' : ''}`, () => {
      const camera = cameraFromTka(parseTka(view.tka, view.name), 4, view.name);
      const portrait = camera.height > camera.width;
      const readCamera = portrait ? rotateCounterClockwise(camera) : camera;
      const read = (vertex?: number): RgbImage => {
        const options = { supersampling: 4, grey: false };
        const picture = renderView(storedCamera(view, 4), studio.fine, head.surface, spotTexture(vertex), options);
        return portrait ? rotatePicture(picture) : picture;
      };
      const dark = read();
      let [seen, sumX, sumY] = [0, 0, 0];
      for (const vertex of spots) {
        // None is seen whose normal points away this far: a picture of it would show nothing.
        if (facing(vertex, readCamera) < -0.2) continue;
        const found = centreOfLight(read(vertex), dark);
        // A spot that is turned away or hidden says nothing about where it is.
        if (!(found.light > 0.4)) continue;
        seen++;
        const [x = 0, y = 0] = projectPoints(readCamera, head.vertices.subarray(3 * vertex, 3 * vertex + 3));
        const message = `vertex ${vertex}: projected to ${x}, ${y}, seen at ${found.x}, ${found.y}`;
        assert.ok(Math.hypot(x - found.x, y - found.y) < 1, message);
        sumX += x - found.x;
        sumY += y - found.y;
      }
      assert.ok(seen >= 8, `${seen} spots were seen`);
      // Half a pixel, or a pixel's shift, would be a camera model that differs from the reader's.
      assert.ok(Math.hypot(sumX, sumY) / seen < 0.15, `on average off by ${sumX / seen}, ${sumY / seen} px`);
    });
  }
});

test('one view is portrait, and upright once it is rotated', () => {
  const portrait = views.filter((view) => {
    const camera = rigCamera(view, 1);
    return camera.height > camera.width;
  });
  assert.deepEqual(
    portrait.map(({ name }) => name),
    [settings.portraitView],
  );
  const camera = rotateCounterClockwise(rigCamera(portrait[0]!, 1));
  assert.deepEqual([camera.width, camera.height], [640, 480]);
  const [, low, , , high] = projectPoints(camera, Float64Array.of(0, -150, 0, 0, 50, 0));
  assert.ok(high! < low!, 'what is higher in the world is higher in the picture');
});

test('lenses distort by pixels towards the corner, and the picture has it', () => {
  const view = views[0]!;
  const camera = storedCamera(view, 1);
  const corner = Float64Array.of(-0.28, -0.2, 1).map((value) => value * 1000);
  const inCamera: Camera = { ...camera, extrinsics: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0) };
  const [x = 0, y = 0] = projectPoints(inCamera, corner);
  const [plainX = 0, plainY = 0] = projectPoints(inCamera, corner, { distort: false });
  const shift = Math.hypot(x - plainX, y - plainY);
  assert.ok(shift > 1.5 && shift < 12, `${shift} px at the corner`);
});

test('the rig differs between sequences, and is the same for the same sequence', () => {
  assert.deepEqual(cameraRig(settings, 0, 0), views);
  const other = cameraRig(settings, 0, 1);
  assert.deepEqual(
    other.map(({ name }) => name),
    views.map(({ name }) => name),
  );
  assert.ok(other.every((view, i) => view.tka !== views[i]!.tka));
});

test('the paper-size rig has 16 stereo and 8 colour views of 1600×1200', () => {
  const rig = cameraRig(miniatureSettings('paperSize'), 0, 0);
  assert.equal(rig.filter(({ kind }) => kind === 'stereo').length, 16);
  assert.equal(rig.filter(({ kind }) => kind === 'colour').length, 8);
  const sizes = rig.map((view) => rigCamera(view, 1)).map(({ width, height }) => `${width}x${height}`);
  assert.deepEqual([...new Set(sizes)].sort(), ['1200x1600', '1600x1200']);
});

test('heads stay in the picture of most views whatever they do', () => {
  let [inside, all] = [0, 0];
  for (let sequence = 0; sequence < 6; sequence++) {
    const { vertices } = subject.capture(sequence, 'head_rotation', 0.15 * sequence);
    for (const view of cameraRig(settings, 0, sequence)) {
      const camera = storedCamera(view, 4);
      const projected = projectPoints(camera, vertices);
      for (let i = 0; i < projected.length; i += 3) {
        all++;
        const [x, y] = [projected[i]!, projected[i + 1]!];
        if (x > 0 && y > 0 && x < camera.width && y < camera.height) inside++;
      }
    }
  }
  assert.ok(inside / all > 0.97, `${inside} of ${all} vertices`);
});
