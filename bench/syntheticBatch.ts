import type { Batch } from '../datasets/types.js';
import { lookAt, type Camera } from '../geometry/cameras/camera.js';
import type { Mesh } from '../geometry/mesh/mesh.js';
import { counterRandom } from '../geometry/random.js';
import { sampleSurface } from '../geometry/mesh/surfaceSampling.js';

export interface SyntheticBatchOptions {
  readonly samples: number;
  readonly views: number;
  /** Height of the images, px. */
  readonly height: number;
  readonly width: number;
  /** Scan points a sample. */
  readonly scanPoints: number;
}

/**
 * A batch as the loader makes them, of a head that all cameras see: noise for images, cameras on a frontal arc a metre
 * away, scan points and a coarse prediction millimetres off the surface.
 *
 * @param head in mm; the registration of all samples.
 */
export function syntheticBatch(head: Mesh, options: SyntheticBatchOptions): Batch {
  const { samples, views, height, width } = options;
  const random = counterRandom(0, 'bench');
  const cameras = Array.from({ length: views }, (_, view) => frontalCamera(view, views, height, width));
  const ofViews = (numbers: (camera: Camera) => Iterable<number>): Float32Array => {
    const ofSample = cameras.flatMap((camera) => [...numbers(camera)]);
    return Float32Array.from({ length: samples * ofSample.length }, (_, i) => ofSample[i % ofSample.length]!);
  };
  const noisy = (values: Float32Array, deviation: number): Float32Array =>
    values.map((value) => value + deviation * random.gaussian());
  const everySample = (): Float32Array =>
    Float32Array.from({ length: samples * head.vertices.length }, (_, i) => head.vertices[i % head.vertices.length]!);
  return {
    step: 1,
    frames: Array.from({ length: samples }, (_, i) => ({ subject: 'S', sequence: 'Q', frame: String(i) })),
    viewNames: Array.from({ length: samples }, () => cameras.map(({ name }) => name)),
    shape: { batch: samples, views, height, width },
    images: Float32Array.from({ length: samples * views * height * width * 3 }, random.gaussian),
    intrinsics: ofViews((camera) => camera.intrinsics),
    extrinsics: ofViews((camera) => camera.extrinsics),
    distortions: ofViews((camera) => camera.distortion),
    cameras: Array.from({ length: samples }, () => cameras),
    vertices: everySample(),
    scanPoints: Array.from({ length: samples }, () =>
      noisy(sampleSurface(head, options.scanPoints, random.uniform).points, 1),
    ),
    coarseVertices: noisy(everySample(), 1),
  };
}

/** One of `count` cameras from ear to ear, high and low by turns; the head fills most of its picture. */
function frontalCamera(view: number, count: number, height: number, width: number): Camera {
  const angle = count === 1 ? 0 : -1.9 + (3.8 * view) / (count - 1);
  const centre = [1000 * Math.sin(angle), view % 2 === 0 ? -150 : 120, 1000 * Math.cos(angle)] as const;
  const focal = 3 * height;
  return {
    name: `${String(view).padStart(2, '0')}_A`,
    width,
    height,
    intrinsics: Float64Array.of(focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1),
    extrinsics: lookAt(centre, [0, -50, 0], [0, 1, 0]),
    distortion: [-0.1, 0.02],
  };
}
