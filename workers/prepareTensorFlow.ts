import type { Precision } from '../configs/schema/run.js';

export interface ArithmeticSettings {
  readonly deterministic: boolean;
  /** Not there in a configuration of an older version: float32. */
  readonly precision?: Precision;
  readonly threadsPerOperation?: number | undefined;
}

/** Settings that TensorFlow and tensor/ read once, when they are loaded: call this before anything imports tensor/. */
export function prepareTensorFlow(settings: ArithmeticSettings): void {
  const { deterministic, precision = 'float32', threadsPerOperation } = settings;
  if (deterministic) process.env['TF_DETERMINISTIC_OPS'] = '1';
  // Read by cuBLAS and cuDNN. TensorFlow has them use TensorFloat-32 unless this is 0.
  if (precision !== 'tensorfloat32') process.env['NVIDIA_TF32_OVERRIDE'] = '0';
  if (threadsPerOperation !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threadsPerOperation);
  process.env['TEMPEH_ACTIVATIONS'] = precision === 'bfloat16' ? 'bfloat16' : 'float32';
}
