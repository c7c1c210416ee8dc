import type { FeatureNetConfiguration } from '../configs/schema/model.js';
import {
  add,
  addBias,
  convolution2d,
  reshape,
  resizeNearest,
  tf,
  type Tensor4D,
  type Tensor5D,
} from '../tensor/index.js';
import type { Pass } from './pass.js';
import { resnetTrunk } from './resnet.js';

/**
 * Feature net (spec 2.1), shared by all views: a ResNet trunk; at each of its five resolutions a 1×1 convolution to F
 * channels; from the deepest up, resized to the next finer one and added; at last resized to the images' size.
 *
 * Batch normalisation in training is joint over batch and views.
 *
 * @param pass within `feature_net.model`. @param images `[B, V, H, W, 3]` @returns `[B·V, H, W, F]`
 */
export function featureNet(pass: Pass, images: Tensor5D, configuration: FeatureNetConfiguration): Tensor4D {
  return tf.tidy(() => {
    const [batch, views, height, width] = images.shape;
    const flat = reshape<Tensor4D>(images, [batch * views, height, width, 3]);
    const resolutions = resnetTrunk(pass.within('resnet34_32s'), flat, configuration.layerBlocks);
    let features: Tensor4D | undefined;
    for (let level = resolutions.length; level >= 1; level--) {
      const skip = convolveSkip(pass, resolutions[level - 1]!, `skip${level}`);
      features = features === undefined ? skip : add(resizeNearest(features, skip.shape[1], skip.shape[2]), skip);
    }
    return resizeNearest(features!, height, width);
  });
}

function convolveSkip(pass: Pass, x: Tensor4D, name: string): Tensor4D {
  const convolved = convolution2d(x, pass.parameter(`${name}.weight`), { stride: 1, padding: 0 });
  return addBias(convolved, pass.parameter(`${name}.bias`));
}
