import { existsSync } from 'node:fs';
import type { DeviceAnswer } from '../../../workers/devices/checkDevices.js';

/** A device process for tests of several GPUs on a machine without any: what it sees counts as one, but for the broken. */
const device = process.env['CUDA_VISIBLE_DEVICES'];
const broken = process.env['TEMPEH_TEST_BROKEN'];
if (device === 'GPU-broken' || (broken !== undefined && existsSync(broken))) {
  console.error('CUDA_ERROR_ECC_UNCORRECTABLE');
  process.exit(1);
}
const answer: DeviceAnswer = { usesGpu: device !== undefined, problem: null };
process.send?.(answer, undefined, undefined, () => process.exit(0));
