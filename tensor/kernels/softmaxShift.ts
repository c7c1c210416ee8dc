import { attribute, executeOne, filled, float32, integers, runsOnGpu } from '../engine/engine.js';
import { isRecordingFunction } from '../functions/interception.js';
import { product } from './matrices.js';
import { tidy } from '../engine/tidy.js';
import { tf, type Tensor } from '../tensorflow.js';

/**
 * By how much exponentials of a softmax are shifted (see softmaxExpectation.ts, whose legend is this one's). The usual
 * shift is what the largest logit may be judged from a part of the voxels; where it was not enough, another is found.
 */

/** Beyond it a sum of exponentials nears float32's largest number. (None is below exp(−headroom).) */
const largestSum = 1e34;

/**
 * How far above the largest logit that was looked at a shift lies, try by try: another may be larger by this and
 * ln(largestSum). Digits of the difference are lost to it, though none that far-apart logits have.
 */
const headrooms = [0, 60];

/** Every how many voxels one is looked at for the shift. Odd, lest it stay in one plane of a grid of even side. */
export const shiftStride = 29;

/**
 * How far apart the logits that were looked at are where another one is likely to be beyond float32's range, seen from
 * the largest of them. (A trained network's are nearer to each other.)
 */
const farApart = 4 * Math.log(largestSum);

/** `sums` `[Q, K + 1]`, `shift` `[1, Q]` */
export interface ShiftedSums {
  readonly sums: Tensor;
  readonly shift: Tensor;
  /** exp(a − shift), if it was to be kept and is what {@link exponentials} gives. `[N, Q]` */
  readonly e?: Tensor;
}

/**
 * [values, 1]ᵀ · exp(a − shift) of one sample and chunk.
 *
 * @param keys with ones. `[N, C + 1]` @param looked those whose logits are looked at for the shift. `[N', C]`
 * @param queries `[C, Q]` @param homogeneous `[N, K + 1]`
 */
export type Shifting = (keys: Tensor, looked: Tensor, queries: Tensor, homogeneous: Tensor) => ShiftedSums;

/** Sums with the shift given; the exponentials too, if they are to be kept. */
function shiftedSums(keys: Tensor, queries: Tensor, shift: Tensor, homogeneous: Tensor, keep: boolean): ShiftedSums {
  const e = exponentials(keys, queries, shift);
  const sums = tidy(() => sumsOf(e, homogeneous));
  if (keep) return { sums, shift, e };
  e.dispose();
  return { sums, shift };
}

let exact = false;

/** Runs `f` with shifts by the largest of all logits, which always are enough, and cost a pass over them. */
export function withExactShifts<A>(f: () => A): A {
  const outer = exact;
  exact = true;
  try {
    return f();
  } finally {
    exact = outer;
  }
}

/**
 * How the shifts of a softmax are found. By looking at the sums, and trying again where they were too large; in a recorded
 * function, where nothing can be looked at, lost sums make NaN of the result ({@link withoutLost}), and whoever runs the
 * function tries again with {@link withExactShifts}. On a GPU looking at the sums would hold up everything.
 *
 * @param looked of the first sample. `[N', C]` @param queries of the first chunk. `[C, Q]`
 * @param keep whether the exponentials are wanted as well.
 */
export function chosenShifting(looked: Tensor, queries: Tensor, keep: boolean): Shifting {
  if (exact) return byLargest;
  if (isRecordingFunction()) return unseen(looked, queries, keep);
  if (runsOnGpu()) return byLargest;
  return seen(looked, queries, keep);
}

/** NaN where a sum was lost, which whoever recorded the function looks for; the same elsewhere. */
export function withoutLost(y: Tensor, sums: Tensor): Tensor {
  if (!isRecordingFunction()) return y;
  const isKept = executeOne('Less', [float32], [sums, tf.scalar(largestSum)]);
  return executeOne('SelectV2', [float32], [isKept, y, tf.scalar(NaN)]);
}

function byLargest(keys: Tensor, _looked: Tensor, queries: Tensor, homogeneous: Tensor): ShiftedSums {
  const [sums, shift] = tidy((): [Tensor, Tensor] => {
    const logits = unshifted(keys, queries);
    const shift = largestOf(logits);
    const below = executeOne('Sub', [float32], [logits, shift]);
    logits.dispose();
    return [sumsOf(executeOne('Exp', [float32], [below]), homogeneous), shift];
  });
  return { sums, shift };
}

/** The headroom follows from the logits that are looked at, in the function itself. */
function unseen(looked: Tensor, queries: Tensor, keep: boolean): Shifting {
  const isFar = executeOne('Greater', [float32], [spanOf(looked, queries), tf.scalar(farApart)]);
  const [low, high] = headrooms as [number, number];
  const headroom = executeOne('SelectV2', [float32], [isFar, tf.scalar(high), tf.scalar(low)]);
  return (keys, looked, queries, homogeneous) => {
    const shift = tidy(() => executeOne('AddV2', [float32], [largestOf(product(looked, queries)), headroom]));
    return shiftedSums(keys, queries, shift, homogeneous, keep);
  };
}

function seen(looked: Tensor, queries: Tensor, keep: boolean): Shifting {
  const span = tidy(() => spanOf(looked, queries));
  // A shift with which the sum would overflow need not be tried. Where one chunk's logits are far apart, the others' are as a
  // rule.
  let attempt = span.dataSync<'float32'>()[0]! > farApart ? 1 : 0;
  span.dispose();
  return (keys, looked, queries, homogeneous) => {
    const width = homogeneous.shape[1]!;
    const isLost = (value: number, at: number): boolean => at % width === width - 1 && !(value < largestSum);
    for (; attempt < headrooms.length; attempt++) {
      const headroom = headrooms[attempt]!;
      const shift = tidy(() => tf.add(largestOf(product(looked, queries)), headroom));
      const found = shiftedSums(keys, queries, shift, homogeneous, keep);
      if (!found.sums.dataSync<'float32'>().some(isLost)) return found;
      tf.dispose([found.sums, shift, ...(found.e ? [found.e] : [])]);
    }
    return byLargest(keys, looked, queries, homogeneous);
  };
}

function sumsOf(e: Tensor, homogeneous: Tensor): Tensor {
  return tf.transpose(product(homogeneous, e, true));
}

/** How far apart the logits are. @param looked `[N', C]` @param queries `[C, Q]` @returns `[]` */
function spanOf(looked: Tensor, queries: Tensor): Tensor {
  const logits = product(looked, queries);
  const smallest = executeOne('Min', maxTyped, [logits, integers([0])]);
  return tf.max(executeOne('Sub', [float32], [largestOf(logits), smallest]));
}

const maxTyped = [float32, attribute.int32('Tidx'), attribute.flag('keep_dims', true)];

/** The largest logit of each query. @param logits `[N, Q]` @returns `[1, Q]` */
function largestOf(logits: Tensor): Tensor {
  return executeOne('Max', maxTyped, [logits, integers([0])]);
}

/** a. @param keys with ones. `[N, C + 1]` @param queries `[C, Q]` @returns `[N, Q]` */
function unshifted(keys: Tensor, queries: Tensor): Tensor {
  return product(keys, tf.concat([queries, filled([1, queries.shape[1]!], 0)], 0));
}

/** exp(a − s). @param keys with ones. `[N, C + 1]` @param queries `[C, Q]` @param shift `[1, Q]` @returns `[N, Q]` */
export function exponentials(keys: Tensor, queries: Tensor, shift: Tensor): Tensor {
  return tidy(() => executeOne('Exp', [float32], [product(keys, tf.concat([queries, tf.neg(shift)], 0))]));
}
