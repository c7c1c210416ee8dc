import type { V2VConfiguration } from '../../configs/schema/model.js';
import { add, maxPool3d, transposedConvolution3d, type Tensor5D } from '../../tensor/index.js';
import type { Pass } from '../pass.js';
import { convolutionBlock, residualBlock } from './residualBlock.js';

/**
 * V2V network without its output layer (method 2.5 and 3.5): front, encoder–decoder, back.
 *
 * @param pass within the network (`…global_net` or `…local_net`).
 * @param x `[M, D, D, D, I]` @returns `[M, D, D, D, backChannels[1]]`
 */
export function v2v(pass: Pass, x: Tensor5D, configuration: V2VConfiguration): Tensor5D {
  const front = (y: Tensor5D): Tensor5D =>
    inSequence(y, [
      convolution(pass, 'front_layers.0'),
      residual(pass, 'front_layers.1'),
      residual(pass, 'front_layers.2'),
      residual(pass, 'front_layers.3'),
    ]);
  const encoderDecoder = (y: Tensor5D): Tensor5D => level(pass.within('encoder_decoder'), y, configuration, 1);
  return inSequence(x, [
    (y) => pass.group(front, y, 'front_layers'),
    (y) => pass.group(encoderDecoder, y, 'encoder_decoder'),
    residual(pass, 'back_layers.0'),
    convolution(pass, 'back_layers.1'),
    convolution(pass, 'back_layers.2'),
  ]);
}

type Layer = (x: Tensor5D) => Tensor5D;

/** Applies layers one after the other; what one returned is freed once the next has taken it. */
function inSequence(x: Tensor5D, layers: readonly Layer[]): Tensor5D {
  return layers.reduce((taken, layer) => {
    const returned = layer(taken);
    if (taken !== x && taken !== returned) taken.dispose();
    return returned;
  }, x);
}

function convolution(pass: Pass, name: string): Layer {
  return (x) => pass.block((x: Tensor5D) => convolutionBlock(pass.within(name), x), x, name);
}

function residual(pass: Pass, name: string): Layer {
  return (x) => pass.block((x: Tensor5D) => residualBlock(pass.within(name), x), x, name);
}

/**
 * The encoder–decoder from one level on, counted from 1; behind the last one is the middle block. The first
 * `pooledLevels` levels halve the resolution on the way down and double it on the way up, the others only deepen the
 * network. Each adds what its residual skip block makes of its input.
 */
function level(pass: Pass, x: Tensor5D, configuration: V2VConfiguration, number: number): Tensor5D {
  const { encoderChannels, pooledLevels } = configuration;
  if (number > encoderChannels.length) return residual(pass, 'mid_res')(x);
  const pooled = number <= pooledLevels;
  const inner = inSequence(x, [
    ...(pooled ? [maxPool3d] : []),
    residual(pass, `encoder_res${number}`),
    (y) => level(pass, y, configuration, number + 1),
    residual(pass, `decoder_res${number}`),
    ...(pooled ? [upsample(pass, `decoder_upsample${number}`)] : []),
  ]);
  const skip = residual(pass, `skip_res${number}`)(x);
  const sum = add(inner, skip);
  inner.dispose();
  skip.dispose();
  return sum;
}

/** Transposed convolution 2³ with stride 2, batch normalisation, rectifier. */
function upsample(pass: Pass, name: string): Layer {
  const block = (x: Tensor5D): Tensor5D => {
    const raised = transposedConvolution3d(x, pass.parameter(`${name}.block.0.weight`));
    return pass.normalizeInto(raised, 'rectify', `${name}.block.1`, `${name}.block.0`);
  };
  return (x) => pass.block(block, x, name);
}
