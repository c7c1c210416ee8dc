import { frameName } from '../layout.js';
import type { Camera } from '../../geometry/cameras/camera.js';
import { writeColours } from '../images/floatImage.js';
import { normalise } from '../images/normalise.js';
import type { Batch, Sample, SampleView } from '../types.js';

/** A view on its way into a batch. */
export interface BatchView {
  readonly camera: Camera;
  /** Writes its colours, in [0, 1], over all of `target`. `[H, W, 3]` */
  readonly write: (target: Float32Array) => void;
}

/** A view as it is. */
export function plainView({ camera, image }: SampleView): BatchView {
  return { camera, write: (target) => writeColours(image, target) };
}

/** A sample with the views that a batch has of it. */
export type BatchSample = Omit<Sample, 'views'> & { readonly views: readonly BatchView[] };

/**
 * Puts samples into the flat arrays of a batch; images are ImageNet-normalised on the way.
 *
 * @param scanPoints `[B]` of `[n, 3]`: those that the losses see.
 * @param memory for the images, of a batch that nobody needs any more; taken where it is large enough.
 * @throws Error naming two frames whose views differ in number or size.
 */
export function assembleBatch(
  step: number,
  samples: readonly BatchSample[],
  scanPoints: readonly Float32Array[],
  memory?: ArrayBuffer,
): Batch {
  const [first] = samples;
  const camera = first?.views[0]?.camera;
  if (!first || !camera) throw new RangeError('a batch needs a sample with views');
  const { width, height } = camera;
  const views = first.views.length;
  const count = samples.length * views;
  const pixels = width * height * 3;
  const images = imagesIn(memory, count * pixels);
  const intrinsics = new Float32Array(count * 9);
  const extrinsics = new Float32Array(count * 12);
  const distortions = new Float32Array(count * 2);
  samples.forEach((sample, b) => {
    if (sample.views.length !== views) throw unlike(first, sample, `${views} and ${sample.views.length} views`);
    sample.views.forEach((view, v) => {
      const i = b * views + v;
      if (view.camera.width !== width || view.camera.height !== height) {
        throw unlike(first, sample, `${width}×${height} and ${view.camera.width}×${view.camera.height} pixels`);
      }
      const image = images.subarray(i * pixels, (i + 1) * pixels);
      view.write(image);
      normalise(image);
      intrinsics.set(view.camera.intrinsics, i * 9);
      extrinsics.set(view.camera.extrinsics, i * 12);
      distortions.set(view.camera.distortion, i * 2);
    });
  });
  return {
    step,
    frames: samples.map(({ id }) => id),
    viewNames: samples.map((sample) => sample.views.map((view) => view.camera.name)),
    shape: { batch: samples.length, views, height, width },
    images,
    intrinsics,
    extrinsics,
    distortions,
    cameras: samples.map((sample) => sample.views.map((view) => view.camera)),
    vertices: stacked(samples.map(({ vertices }) => vertices)),
    scanPoints,
    coarseVertices: stacked(samples.map(({ coarseVertices }) => coarseVertices)),
  };
}

function imagesIn(memory: ArrayBuffer | undefined, length: number): Float32Array {
  if (memory === undefined || memory.byteLength < length * Float32Array.BYTES_PER_ELEMENT)
    return new Float32Array(length);
  return new Float32Array(memory, 0, length);
}

/** null unless every sample has it. */
function stacked(arrays: readonly (Float32Array | null)[]): Float32Array | null {
  const there = arrays.filter((array) => array !== null);
  const size = there[0]?.length ?? 0;
  if (there.length < arrays.length || size === 0) return null;
  const all = new Float32Array(size * there.length);
  there.forEach((array, i) => all.set(array, i * size));
  return all;
}

function unlike(first: BatchSample, other: BatchSample, difference: string): Error {
  const [one, two] = [frameName(first.id), frameName(other.id)];
  return new Error(`Frames ${one} and ${two} cannot share a batch: their views differ (${difference}).`);
}
