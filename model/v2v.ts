import type { V2VConfiguration } from '../configs/schema/model.js';
import { add, maxPool3d, relu, tf, transposedConvolution3d, type Tensor5D } from '../tensor/index.js';
import type { Pass } from './pass.js';
import { convolutionBlock, residualBlock } from './residualBlock.js';

/**
 * V2V network without its output layer (spec 2.5 and 3.5): front, encoder–decoder, back.
 *
 * @param pass within the network (`…global_net` or `…local_net`).
 * @param x `[M, D, D, D, I]` @returns `[M, D, D, D, backChannels[1]]`
 */
export function v2v(pass: Pass, x: Tensor5D, configuration: V2VConfiguration): Tensor5D {
  return tf.tidy(() => {
    let y = pass.block((x: Tensor5D) => convolutionBlock(pass.within('front_layers.0'), x), x, 'front_layers.0');
    for (const layer of ['front_layers.1', 'front_layers.2', 'front_layers.3']) y = residual(pass, y, layer);
    y = encoderDecoder(pass.within('encoder_decoder'), y, configuration);
    y = residual(pass, y, 'back_layers.0');
    for (const layer of ['back_layers.1', 'back_layers.2']) {
      y = pass.block((x: Tensor5D) => convolutionBlock(pass.within(layer), x), y, layer);
    }
    return y;
  });
}

function residual(pass: Pass, x: Tensor5D, name: string): Tensor5D {
  return pass.block((x: Tensor5D) => residualBlock(pass.within(name), x), x, name);
}

/**
 * Levels, counted from 1, each with a residual skip block; the first `pooledLevels` of them halve the resolution on the
 * way down and double it on the way up, the others only deepen the network.
 */
function encoderDecoder(pass: Pass, x: Tensor5D, { encoderChannels, pooledLevels }: V2VConfiguration): Tensor5D {
  const levels = encoderChannels.length;
  const skips: Tensor5D[] = [];
  let y = x;
  for (let level = 1; level <= levels; level++) {
    skips.push(residual(pass, y, `skip_res${level}`));
    if (level <= pooledLevels) y = maxPool3d(y);
    y = residual(pass, y, `encoder_res${level}`);
  }
  y = residual(pass, y, 'mid_res');
  for (let level = levels; level >= 1; level--) {
    y = residual(pass, y, `decoder_res${level}`);
    if (level <= pooledLevels) y = upsample(pass, y, `decoder_upsample${level}`);
    y = add(y, skips.pop()!);
  }
  return y;
}

/** Transposed convolution 2³ with stride 2, batch normalisation, rectifier. */
function upsample(pass: Pass, x: Tensor5D, name: string): Tensor5D {
  return pass.block(
    (x: Tensor5D) => {
      const raised = transposedConvolution3d(x, pass.parameter(`${name}.block.0.weight`));
      return relu(pass.normalize(raised, `${name}.block.1`, `${name}.block.0`));
    },
    x,
    name,
  );
}
