import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from '../errors.mjs';
import { makeCacheEntry } from '../cache/cacheEntry.mjs';
import { runtimeDirectory } from '../cache/cacheContents.mjs';
import { installedMarker } from '../paths.mjs';
import { tensorflowWheels } from '../pins.mjs';
import { extractFromWheel } from '../downloads/wheels.mjs';
import { sealRuntime } from './runtimeSeal.mjs';

/**
 * What is wanted from TensorFlow's wheel: the two libraries, and the C headers that the binding includes.
 * (All headers are 269 MB in 13,000 files.)
 */
const tensorflowMembers = {
  'tensorflow/libtensorflow_cc.so.2': 'lib/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2': 'lib/libtensorflow_framework.so.2',
  'tensorflow/THIRD_PARTY_NOTICES.txt': 'licences/THIRD_PARTY_NOTICES.txt',
  'tensorflow/include/tensorflow/c/': 'include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/ctstring': 'include/tensorflow/core/platform/ctstring',
  'tensorflow/include/tsl/platform/ctstring': 'include/tsl/platform/ctstring',
  'tensorflow/include/xla/tsl/c/': 'include/xla/tsl/c/',
};

/** TensorFlow finds CUDA at `../nvidia/PART/lib`, seen from its own folder. */
const cudaMembers = { 'nvidia/': 'nvidia/' };

/**
 * Which runtime this clone gets: the one asked for; else the GPU's where an NVIDIA driver is; else what is installed.
 *
 * @param {readonly string[]} options `--gpu` or `--cpu`
 * @returns {'cpu' | 'gpu'}
 * @throws {SetupError} a GPU is asked for where the wheel has no CUDA
 */
export function chooseVariant(options) {
  const noCuda = process.arch === 'arm64';
  if (options.includes('--gpu')) {
    if (noCuda) {
      throw new SetupError(
        'TensorFlow’s wheel for arm64 has no CUDA: with --gpu it would compute on the processor all the same.',
        'Leave --gpu out to train on the processor, or use an x86-64 machine for the GPU.',
      );
    }
    return 'gpu';
  }
  if (options.includes('--cpu') || noCuda) return 'cpu';
  if (hasNvidiaDriver()) return 'gpu';
  const marker = readInstalledMarker();
  return marker?.variant === 'gpu' && runtimeIsCached('gpu') ? 'gpu' : 'cpu';
}

/** @returns {boolean} true where the kernel has NVIDIA's driver (or WSL's way to it) */
export function hasNvidiaDriver() {
  return ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/dxg'].some((file) => existsSync(file));
}

/**
 * @param {'cpu' | 'gpu'} variant
 * @returns {boolean}
 */
export function runtimeIsCached(variant) {
  return existsSync(path.join(runtimeDirectory(variant), 'lib', 'libtensorflow_cc.so.2'));
}

/**
 * Downloads TensorFlow (for a GPU with CUDA) into the cache.
 *
 * @param {'cpu' | 'gpu'} variant
 * @param {import('../progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function fetchRuntime(variant, report, signal) {
  await makeCacheEntry(runtimeDirectory(variant), async ({ result, scratch }) => {
    for (const wheel of tensorflowWheels(variant)) {
      const { distribution, version } = wheel;
      const members = distribution.startsWith('tensorflow') ? tensorflowMembers : cudaMembers;
      const licences = { [`${distribution.replaceAll('-', '_')}-${version}.dist-info/`]: `licences/${distribution}/` };
      await extractFromWheel(wheel, { ...members, ...licences }, result, scratch, report, signal);
    }
    // The names that the binding links against.
    symlinkSync('libtensorflow_cc.so.2', path.join(result, 'lib', 'libtensorflow.so'));
    symlinkSync('libtensorflow_framework.so.2', path.join(result, 'lib', 'libtensorflow_framework.so'));
    report.say('noting checksums');
    await sealRuntime(result);
  });
}

/** @returns {{ variant: 'cpu' | 'gpu', runtime: string, binding: string } | undefined} what this clone has installed */
export function readInstalledMarker() {
  try {
    return JSON.parse(readFileSync(installedMarker, 'utf8'));
  } catch {
    return undefined;
  }
}
