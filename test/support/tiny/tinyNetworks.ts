import { coarseModelSchema, refinementModelSchema } from '../../../configs/schema/model.js';
import { rotationAboutAxis } from '../../../geometry/rotation.js';
import { lookAt } from '../../../geometry/cameras/camera.js';
import {
  coarseLayout,
  initialState,
  refinementLayout,
  type CoarseSurface,
  type ModelState,
  type ViewTensors,
} from '../../../model/index.js';
import { tf, type Tensor3D, type Tensor4D, type Tensor5D } from '../../../tensor/index.js';
import { randomTensor } from '../gradientCheck.js';

const featureNet = { stemChannels: 4, layerChannels: [4, 4, 6, 6], layerBlocks: [1, 1, 1, 1], featureChannels: 3 };

/** The coarse network's structure with all of its parts, small enough for central differences. */
export const tinyCoarse = coarseModelSchema.parse({
  featureNet,
  gridSide: 4,
  gridSpacing: 60,
  gridOrigin: [0, 0, 0],
  localiser: { channels: 3, levels: 1, hiddenUnits: 5 },
  v2v: { frontChannels: 3, baseChannels: 4, encoderChannels: [5, 5], pooledLevels: 1, backChannels: [4, 6] },
});

export const tinyRefinement = refinementModelSchema.parse({
  featureNet,
  gridSide: 4,
  gridSpacing: 5,
  v2v: { frontChannels: 3, baseChannels: 4, encoderChannels: [5, 5], pooledLevels: 1, backChannels: [4, 4] },
});

export const tinyVertexCount = 7;

export function tinyState(stage: 'coarse' | 'refinement'): ModelState {
  const layouts = stage === 'coarse' ? coarseLayout(tinyCoarse, tinyVertexCount) : refinementLayout(tinyRefinement);
  return initialState(layouts, 3, ({ name, shape }) => {
    // The published start (weights of 0.001, and zero) would leave the localiser's gradients too small to be checked.
    if (!/grid_refiner.*weight$/.test(name) || shape.length < 2) return undefined;
    return randomTensor(name, [...shape], 0.2).dataSync<'float32'>();
  });
}

/** Cameras around the origin, with skew, distortion and noise for images. */
export function tinyViews(batch: number, views: number, height = 24, width = 32): ViewTensors {
  const cameras = Array.from({ length: batch * views }, (_, i) =>
    Array.from(lookAt([600 * Math.sin(i * 0.8), 60 * (i % 3), 600 * Math.cos(i * 0.8)], [0, 0, 0], [0, 1, 0])),
  );
  const intrinsics = [40, 0.5, width / 2, -0.3, 42, height / 2, 0, 0, 1];
  return {
    images: randomTensor('images', [batch, views, height, width, 3]) as Tensor5D,
    intrinsics: tf.tensor4d(
      cameras.flatMap(() => intrinsics),
      [batch, views, 3, 3],
    ),
    extrinsics: tf.tensor4d(cameras.flat(), [batch, views, 3, 4]),
    distortions: tf.tensor3d(
      cameras.flatMap(() => [-0.1, 0.05]),
      [batch, views, 2],
    ),
  };
}

/** One rotation a sample. `[batch, 3, 3]` */
export function tinyRotations(batch: number): Tensor3D {
  const rotations = Array.from({ length: batch }, (_, i) => Array.from(rotationAboutAxis([1, 2, -1], 0.4 + i)));
  return tf.tensor3d(rotations.flat(), [batch, 3, 3]);
}

/** The same for each vertex, the identity first. `[batch, L, 3, 3]` */
export function tinyVertexRotations(batch: number): Tensor4D {
  const rotations = Array.from({ length: batch * tinyVertexCount }, (_, i) =>
    Array.from(rotationAboutAxis([1, i, -1], 0.3 * i)),
  );
  return tf.tensor4d(rotations.flat(), [batch, tinyVertexCount, 3, 3]);
}

/**
 * Coarse vertices and what belongs to them.
 *
 * @param visibility of every vertex in every view, and other normals for each; some are seen and some are not if absent.
 */
export function tinySurface(batch: number, views: number, visibility?: number): CoarseSurface {
  const name = visibility === undefined ? 'normals' : `normals ${visibility}`;
  const normals = randomTensor(name, [batch, tinyVertexCount, 3]);
  const shape: [number, number, number] = [batch, views, tinyVertexCount];
  return {
    vertices: randomTensor('vertices', [batch, tinyVertexCount, 3], 40) as Tensor3D,
    normals: tf.div(normals, tf.norm(normals, 2, 2, true)),
    visibility:
      visibility === undefined
        ? tf.add(0.75, tf.mul(0.25, tf.sign(randomTensor('visible', shape))))
        : tf.fill(shape, visibility),
    template: randomTensor('template', [tinyVertexCount, 3], 80) as CoarseSurface['template'],
  };
}
