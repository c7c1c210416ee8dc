import type { CoarseModelConfiguration } from '../../configs/schema/model.js';
import {
  addBias,
  convolution3d,
  maxPool3d,
  multiply,
  relu,
  reshape,
  tf,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor5D,
} from '../../tensor/index.js';
import type { Pass } from '../pass.js';

/** What the localiser finds: how to transform the volume so that the head fills it (method 2.4). */
export interface Localisation {
  /** The twelve numbers as the last layer returns them. `[B, 12]` */
  readonly raw: Tensor2D;
  /** `[B, 3]` */
  readonly scales: Tensor2D;
  /** diag(scales) · rotation. `[B, 3, 3]` */
  readonly linear: Tensor3D;
  /** In units of half the grid's extent. `[B, 3]` */
  readonly translation: Tensor2D;
}

/**
 * Grid localiser, a rigid spatial transformer (method 2.4): `levels` times [convolution 3³, BN, max-pool 2³, ReLU],
 * flattened, two linear layers to twelve numbers x: scales = factor · (tanh x₀₋₂ + 1)/2, rotation from the 6-D
 * representation x₃₋₈, translation tanh x₉₋₁₁.
 *
 * @param pass within `grid_refiner`. @param volume `[B, D, D, D, 2F]`
 */
export function localise(
  pass: Pass,
  volume: Tensor5D,
  configuration: CoarseModelConfiguration['localiser'],
): Localisation {
  let y = volume;
  for (let level = 0; level < configuration.levels; level++) y = localisationLevel(pass, y, 4 * level);
  const flat = reshape<Tensor2D>(y, [volume.shape[0], -1]);
  const hidden = relu(linearLayer(pass, flat, 'mapping.0'));
  const raw = linearLayer(pass, hidden, 'mapping.2');
  const [s, r, t] = tf.split(raw, [3, 6, 3], 1) as [Tensor2D, Tensor2D, Tensor2D];
  const scales = tf.mul<Tensor2D>(tf.add(tf.tanh(s), 1), configuration.scaleFactor / 2);
  const linear = tf.mul<Tensor3D>(tf.expandDims(scales, 2), rotationFromSixNumbers(r));
  return { raw, scales, linear, translation: tf.tanh(t) };
}

/** The published sequence is convolution, BN, max-pooling, ReLU: indices 0, 1, (2, 3), 4, 5, … */
function localisationLevel(pass: Pass, x: Tensor5D, index: number): Tensor5D {
  const convolution = `localization.${index}`;
  return tf.tidy(() => {
    const convolved = convolution3d(x, pass.parameter(`${convolution}.weight`), { stride: 1, padding: 1 });
    return relu(maxPool3d(pass.normalize(convolved, `localization.${index + 1}`, convolution)));
  });
}

function linearLayer(pass: Pass, x: Tensor2D, name: string): Tensor2D {
  const y = multiply(x, pass.parameter(`${name}.weight`));
  return addBias(y, pass.parameter<Tensor1D>(`${name}.bias`)) as Tensor2D;
}

/**
 * Rotation from two 3-vectors by Gram–Schmidt; they and their cross product are the rows (Zhou et al. 2019).
 *
 * @param six `[B, 6]` @returns `[B, 3, 3]`
 */
function rotationFromSixNumbers(six: Tensor2D): Tensor3D {
  const [first, second] = tf.split(six, 2, 1) as [Tensor2D, Tensor2D];
  const a = normalized(first);
  const along = tf.sum(tf.mul(a, second), 1, true);
  const b = normalized(tf.sub(second, tf.mul(along, a)));
  const [ax, ay, az] = tf.split(a, 3, 1) as [Tensor, Tensor, Tensor];
  const [bx, by, bz] = tf.split(b, 3, 1) as [Tensor, Tensor, Tensor];
  const minor = (p: Tensor, q: Tensor, r: Tensor, s: Tensor): Tensor => tf.sub(tf.mul(p, q), tf.mul(r, s));
  const c = tf.concat([minor(ay, bz, az, by), minor(az, bx, ax, bz), minor(ax, by, ay, bx)], 1) as Tensor2D;
  return tf.stack([a, b, c], 1) as Tensor3D;
}

function normalized(x: Tensor2D): Tensor2D {
  return tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), 1e-12));
}
