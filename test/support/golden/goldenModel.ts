import { readFileSync } from 'node:fs';
import { parseNpz } from '../../../datasets/formats/numpy/npz.js';
import { coarseModelSchema, refinementModelSchema } from '../../../configs/schema/model.js';
import {
  coarseLayout,
  fromPublished,
  modelState,
  refinementLayout,
  type ModelState,
  type TensorLayout,
  type ViewTensors,
} from '../../../model/index.js';
import { tf, type Tensor, type Tensor3D, type Tensor4D, type Tensor5D } from '../../../tensor/index.js';
import { goldenArray, goldenHash, goldenPath } from './golden.js';

/** The golden case's networks: published sizes, 642 vertices. */
export const goldenCoarse = coarseModelSchema.parse({});
export const goldenRefinement = refinementModelSchema.parse({});
export const goldenVertexCount = 642;

export function goldenLayout(stage: 'coarse' | 'refinement'): TensorLayout[] {
  return stage === 'coarse' ? coarseLayout(goldenCoarse, goldenVertexCount) : refinementLayout(goldenRefinement);
}

/** The golden weights in the published layout, in part stored and in part made by the README's formula. */
export function goldenWeights(stage: 'coarse' | 'refinement'): (layout: TensorLayout) => Float32Array {
  const file = goldenPath(`${stage}/weights_small.npz`);
  const small = parseNpz(readFileSync(file), file);
  const bounds = JSON.parse(readFileSync(goldenPath(`${stage}/weight_bounds.json`), 'utf8')) as Record<string, number>;
  return (layout) => {
    const stored = small.get(layout.name);
    if (stored !== undefined) return Float32Array.from(stored.data as ArrayLike<number | bigint>, Number);
    const bound = bounds[layout.name];
    if (bound === undefined) throw new Error(`the golden weights lack ${layout.name}`);
    return weightsByFormula(layout, bound);
  };
}

export function goldenState(stage: 'coarse' | 'refinement'): ModelState {
  const weights = goldenWeights(stage);
  return modelState(goldenLayout(stage), (layout) => {
    const values = weights(layout);
    return layout.role === 'counter' ? Int32Array.from(values) : fromPublished(layout, values);
  });
}

function weightsByFormula({ name, publishedShape }: TensorLayout, bound: number): Float32Array {
  let fnv = 0x811c9dc5;
  for (const byte of Buffer.from(name)) fnv = Math.imul(fnv ^ byte, 0x01000193) >>> 0;
  const size = publishedShape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = (goldenHash((i ^ fnv) >>> 0) / 2147483648 - 1) * bound;
  return values;
}

/** A golden array as a float32 tensor; the caller's. */
export function goldenTensor(name: string): Tensor {
  const { shape, data } = goldenArray(name);
  return tf.tensor(Float32Array.from(data), [...shape]);
}

/** The cameras of sample 0, with the given images `[1, V, 3, H, W]` in the published layout. */
export function goldenViews(stage: 'coarse' | 'refinement', images: Tensor): ViewTensors {
  return {
    images: tf.transpose(images, [0, 1, 3, 4, 2]) as Tensor5D,
    intrinsics: goldenTensor(`${stage}/inputs/stereo_camera_intrinsics`) as Tensor4D,
    extrinsics: goldenTensor(`${stage}/inputs/stereo_camera_extrinsics`) as Tensor4D,
    distortions: goldenTensor(`${stage}/inputs/stereo_camera_distortions`) as Tensor3D,
  };
}

/** A tensor's values after a transposition, for comparison with the published layout. */
export function transposed(tensor: Tensor, axes: number[]): Float32Array {
  return tf.tidy(() => tf.transpose(tensor, axes).dataSync<'float32'>());
}
