import type { Batch } from '../../datasets/types.js';
import type { ViewTensors } from '../../model/types.js';
import { inPhase, tf, type Tensor } from '../../tensor/index.js';

/** A batch's views on the device. The tensors belong to the caller, or to the surrounding tidy. */
export function viewTensors(batch: Batch): ViewTensors {
  const { batch: samples, views, height, width } = batch.shape;
  return inPhase('load', () => ({
    images: tf.tensor5d(batch.images, [samples, views, height, width, 3]),
    intrinsics: tf.tensor4d(batch.intrinsics, [samples, views, 3, 3]),
    extrinsics: tf.tensor4d(batch.extrinsics, [samples, views, 3, 4]),
    distortions: tf.tensor3d(batch.distortions, [samples, views, 2]),
  }));
}

/** All of them, in an order that does not change. */
export function tensorsOf({ images, intrinsics, extrinsics, distortions }: ViewTensors): Tensor[] {
  return [images, intrinsics, extrinsics, distortions];
}
