import { attribute, executeOne, float32, integers } from '../engine/engine.js';
import { tf, type Tensor } from '../tensorflow.js';

const toFloat64 = [attribute.float32('SrcT'), attribute.float64('DstT'), attribute.flag('Truncate', false)];
const toFloat32 = [attribute.float64('SrcT'), attribute.float32('DstT'), attribute.flag('Truncate', false)];
const float64 = [attribute.float64('T')];
const summing = [...float64, attribute.int32('Tidx'), attribute.flag('keep_dims', false)];

/** A number as float64: tfjs knows no such tensor, so it may only be handed to operations by name. */
function inFloat64(value: number): Tensor {
  return executeOne('Cast', toFloat64, [tf.scalar(value)]);
}

/**
 * Clips tensors by their common norm, the root of the sum of all their squares: all are multiplied by
 * limit / (norm + 1e-6) where that is below 1. What is not finite counts as zero, and so does all beside it.
 *
 * @param limit the largest norm; null: none.
 * @returns `norm`, `[]`, before clipping, not finite where a value is not; `isFinite`, whether it is; the tensors to use.
 *   All of the current scope.
 */
export function clippedByNorm(
  tensors: readonly Tensor[],
  limit: number | null,
): { readonly norm: Tensor; readonly isFinite: Tensor; readonly clipped: Tensor[] } {
  const halves = tensors.map((tensor) => executeOne('L2Loss', [float32], [tensor]));
  const pack = [float32, attribute.integer('N', halves.length), attribute.integer('axis', 0)];
  const half = executeOne('Sum', summing, [
    executeOne('Cast', toFloat64, [executeOne('Pack', pack, halves)]),
    integers([0]),
  ]);
  const norm = executeOne('Sqrt', float64, [executeOne('Mul', float64, [half, inFloat64(2)])]);
  const rounded = executeOne('Cast', toFloat32, [norm]);
  const isFinite = executeOne('IsFinite', [float32], [rounded]);
  const factor = selected(isFinite, limit === null ? tf.scalar(1) : clippingFactor(norm, limit), tf.scalar(0));
  // Other than a plain product it makes zeros of what is not finite.
  const clipped = tensors.map((tensor) => executeOne('MulNoNan', [float32], [tensor, factor]));
  return { norm: rounded, isFinite, clipped };
}

/** min(1, limit / (norm + 1e-6)), of a norm in float64. */
function clippingFactor(norm: Tensor, limit: number): Tensor {
  const above = executeOne('AddV2', float64, [norm, inFloat64(1e-6)]);
  const factor = executeOne('RealDiv', float64, [inFloat64(limit), above]);
  return executeOne('Cast', toFloat32, [executeOne('Minimum', float64, [factor, inFloat64(1)])]);
}

/** One of two tensors of equal shape. @param condition `[]` */
export function selected(condition: Tensor, value: Tensor, otherwise: Tensor): Tensor {
  return executeOne('SelectV2', [float32], [condition, value, otherwise]);
}
