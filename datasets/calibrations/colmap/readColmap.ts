import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../../formats/formatError.js';
import { cameraOfImage } from '../fields/names.js';
import type { OpencvCamera } from '../opencvCamera.js';
import { neededScale, type CalibrationDefaults } from '../options.js';
import { isSide } from '../rigFile/readIntrinsics.js';
import { oneOfEach, type CameraOfImage } from '../severalImages.js';
import { parseCamerasBinary, parseImagesBinary } from './binary.js';
import { colmapOptics, type ColmapCamera } from './models.js';
import { parseCamerasText, parseImagesText, type ColmapImage } from './text.js';

/** Bytes of a file; features take most of them. */
const largest = 256e6;

/** Files of a model; poses of rigs and frames are in those of the images as well. */
export const colmapFiles = /^(?:cameras|images|points3D|rigs|frames)\.(?:txt|bin)$/;

/** Whether a folder holds a model of COLMAP, and in which form; binary, where it holds both. */
export async function colmapForm(folder: string): Promise<'bin' | 'txt' | null> {
  for (const form of ['bin', 'txt'] as const) {
    const there = ['cameras', 'images'].map((name) =>
      stat(join(folder, `${name}.${form}`)).then(
        () => true,
        () => false,
      ),
    );
    if ((await Promise.all(there)).every(Boolean)) return form;
  }
  return null;
}

/**
 * Reads the cameras of a COLMAP model: a folder with `cameras` and `images`, `.bin` or `.txt`. Poses are world to camera; the
 * world's unit is COLMAP's own, so it has to be said.
 *
 * @throws FormatError
 */
export async function readColmap(
  folder: string,
  form: 'bin' | 'txt',
  defaults: CalibrationDefaults,
): Promise<OpencvCamera[]> {
  const cameraFile = join(folder, `cameras.${form}`);
  const imageFile = join(folder, `images.${form}`);
  const [cameraBytes, imageBytes] = [await readBounded(cameraFile), await readBounded(imageFile)];
  const cameras =
    form === 'bin'
      ? parseCamerasBinary(cameraBytes, cameraFile)
      : parseCamerasText(cameraBytes.toString('utf8'), cameraFile);
  const images =
    form === 'bin' ? parseImagesBinary(imageBytes, imageFile) : parseImagesText(imageBytes.toString('utf8'), imageFile);
  if (images.length === 0) throw new FormatError({ file: imageFile, expected: 'images with poses', found: 'none' });
  const scale = neededScale(imageFile, defaults, null, 'the scale of a reconstruction is arbitrary');
  const found = images.map((image): CameraOfImage => {
    const camera = cameras.get(image.camera);
    if (camera) return { image: image.name, camera: cameraOf(image, camera, scale, imageFile, cameraFile, defaults) };
    const where = `image ${image.name}`;
    throw new FormatError({ file: imageFile, where, expected: `a camera of ${cameraFile}`, found: `${image.camera}` });
  });
  defaults.onNote?.(
    `${cameraFile}: principal points are moved by −0.5 px: COLMAP counts from the first pixel's corner.`,
  );
  return oneOfEach(found, imageFile);
}

function cameraOf(
  { name: image, camera: id, quaternion, translation }: ColmapImage,
  camera: ColmapCamera,
  scale: number,
  imageFile: string,
  cameraFile: string,
  defaults: CalibrationDefaults,
): OpencvCamera {
  const where = `camera ${id}`;
  const [width, height] = camera.imageSize;
  if (!isSide(width) || !isSide(height)) {
    const expected = 'width and height in whole pixels, 1 to 65535';
    throw new FormatError({ file: cameraFile, where, expected, found: `${width} × ${height}` });
  }
  const length = Math.hypot(...quaternion);
  if (Math.abs(length - 1) > 1e-3) {
    const expected = 'a quaternion of length 1 (QW QX QY QZ)';
    throw new FormatError({ file: imageFile, where: `image ${image}`, expected, found: quaternion.join(' ') });
  }
  const [x, y, z] = translation.map((value) => value * scale) as [number, number, number];
  return {
    name: cameraOfImage(image, imageFile, 'image', defaults),
    imageSize: [width, height],
    ...colmapOptics(camera, cameraFile, where, defaults.undistorted === true),
    rotation: rotationOf(quaternion.map((value) => value / length) as [number, number, number, number]),
    translation: [x, y, z],
  };
}

/** `[3 * 3]` */
function rotationOf([w, x, y, z]: readonly [number, number, number, number]): Float64Array {
  return Float64Array.of(
    ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  );
}

async function readBounded(file: string): Promise<Buffer> {
  const { size } = await stat(file);
  if (size <= largest) return readFile(file);
  throw new FormatError({ file, expected: `at most ${largest / 1e6} MB`, found: `${(size / 1e6).toFixed(0)} MB` });
}
