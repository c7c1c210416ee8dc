import type { FeatureNetConfiguration } from '../../configs/schema/model.js';
import {
  add,
  addBias,
  convolution2d,
  reshape,
  resizeNearest,
  type Tensor4D,
  type Tensor5D,
} from '../../tensor/index.js';
import type { Pass } from '../pass.js';
import { resnetTrunk } from './resnet.js';

/**
 * Feature net (method 2.1), shared by all views: a ResNet trunk; at each of its five resolutions a 1×1 convolution to F
 * channels; from the deepest up, resized to the next finer one and added; at last resized to the images' size.
 *
 * Batch normalisation in training is joint over batch and views.
 *
 * @param pass within `feature_net.model`. @param images `[B, V, H, W, 3]` @returns `[B·V, H, W, F]`
 */
export function featureNet(pass: Pass, images: Tensor5D, configuration: FeatureNetConfiguration): Tensor4D {
  const [batch, views, height, width] = images.shape;
  const flat = reshape<Tensor4D>(images, [batch * views, height, width, 3]);
  return pass.group((flat: Tensor4D) => features(pass, flat, configuration), flat, 'features');
}

function features(pass: Pass, images: Tensor4D, configuration: FeatureNetConfiguration): Tensor4D {
  const [, height, width] = images.shape;
  const resolutions = resnetTrunk(pass.within('resnet34_32s'), images, configuration.layerBlocks);
  let sum: Tensor4D | undefined;
  for (let level = resolutions.length; level >= 1; level--) {
    const skip = convolveSkip(pass, resolutions[level - 1]!, `skip${level}`);
    sum = sum === undefined ? skip : add(resizeNearest(sum, skip.shape[1], skip.shape[2]), skip);
  }
  return resizeNearest(sum!, height, width);
}

function convolveSkip(pass: Pass, x: Tensor4D, name: string): Tensor4D {
  const convolved = convolution2d(x, pass.parameter(`${name}.weight`), { stride: 1, padding: 0 });
  return addBias(convolved, pass.parameter(`${name}.bias`));
}
