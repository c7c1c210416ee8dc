import type { Precision } from '../configs/schema/run.js';

export interface ArithmeticSettings {
  readonly deterministic: boolean;
  /** Not there in a configuration of an older version: float32. */
  readonly precision?: Precision;
}

/** Settings that TensorFlow and tensor/ read once, when they are loaded: call this before anything imports tensor/. */
export function prepareTensorFlow({ deterministic, precision = 'float32' }: ArithmeticSettings): void {
  if (deterministic) process.env['TF_DETERMINISTIC_OPS'] = '1';
  // Read by cuBLAS and cuDNN. TensorFlow has them use TensorFloat-32 unless this is 0.
  if (precision !== 'tensorfloat32') process.env['NVIDIA_TF32_OVERRIDE'] = '0';
  process.env['TEMPEH_ACTIVATIONS'] = precision === 'bfloat16' ? 'bfloat16' : 'float32';
}
