import { convolution3d, tf, type Tensor5D } from '../../tensor/index.js';
import type { Pass } from '../pass.js';

/** The layers that V2V networks are made of (method 2.5). All take and return `[M, D, H, W, C]`. */

/** Convolution, batch normalisation; without the rectifier. What the convolution returned is freed. */
function convolveNormalize3d(pass: Pass, x: Tensor5D, convolution: string, normalization: string): Tensor5D {
  return tf.tidy(() => pass.normalize(convolve3d(pass, x, convolution), normalization, convolution));
}

function convolve3d(pass: Pass, x: Tensor5D, name: string): Tensor5D {
  const filter = pass.parameter<Tensor5D>(`${name}.weight`);
  return convolution3d(x, filter, { stride: 1, padding: (filter.shape[0] - 1) / 2 });
}

/** Convolution, batch normalisation, rectifier: the published `block.{0,1}`. */
export function convolutionBlock(pass: Pass, x: Tensor5D): Tensor5D {
  return pass.normalizeInto(convolve3d(pass, x, 'block.0'), 'rectify', 'block.1', 'block.0');
}

/** conv3³-BN-ReLU-conv3³-BN plus the input (through conv1³-BN where the widths differ), then ReLU. */
export function residualBlock(pass: Pass, x: Tensor5D): Tensor5D {
  return tf.tidy(() => {
    const convolved = convolve3d(pass, x, 'res_branch.0');
    const inner = pass.normalizeRectify(convolved, 'res_branch.1', 'res_branch.0');
    const branch = convolve3d(pass, inner, 'res_branch.3');
    inner.dispose();
    convolved.dispose();
    const skip = pass.has('skip_con.0.weight') ? convolveNormalize3d(pass, x, 'skip_con.0', 'skip_con.1') : x;
    return pass.normalizeInto(branch, { skip }, 'res_branch.4', 'res_branch.3');
  });
}
