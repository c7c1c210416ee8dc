/** What the set-up does, step by step. */
import { StoppedError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { removeUnfinished } from './cache/cacheEntry.mjs';
import { installNpmPackages, npmPackagesMissing } from './npmPackages.mjs';
import { wantedParts } from './parts.mjs';
import { cacheDirectory } from './paths.mjs';
import { Progress } from './progress.mjs';
import { checkCache, checkPlatform } from './requirements.mjs';
import { bindingIsInstalled, installBinding } from './tensorflow/tensorflowBinding.mjs';
import { chooseVariant, fetchRuntime, runtimeIsCached } from './tensorflow/tensorflowRuntime.mjs';
import { fetchTemporal, temporalIsCached } from './servers/temporalServer.mjs';
import { buildTypescript, buildIsCurrent } from './typescriptBuild.mjs';
import { buildVersitygw, versitygwIsCached } from './servers/versitygw.mjs';

/** Room that the parts need while they are fetched and built, in bytes. */
const room = { cpu: 1.5e9, gpu: 7e9, temporal: 0.3e9, versitygw: 1.3e9 };

/**
 * @param {'cpu' | 'gpu'} variant
 * @param {readonly import('./parts.mjs').Part[]} parts that are wanted
 * @returns what of them is not there yet
 */
function findMissing(variant, parts) {
  const packages = npmPackagesMissing().length > 0;
  /** @type {(part: import('./parts.mjs').Part, isMissing: () => boolean) => boolean} */
  const look = (part, isMissing) => parts.includes(part) && isMissing();
  return {
    packages,
    runtime: look('runtime', () => !runtimeIsCached(variant)),
    binding: look('binding', () => packages || !bindingIsInstalled(variant)),
    temporal: look('temporal', () => !temporalIsCached()),
    versitygw: look('versitygw', () => !versitygwIsCached()),
    build: look('build', () => packages || !buildIsCurrent()),
  };
}

/**
 * @param {'cpu' | 'gpu'} variant
 * @param {readonly import('./parts.mjs').Part[]} parts that are wanted
 * @param {AbortController} stop fires when one step fails or the user stops the set-up
 */
async function doWhatIsMissing(variant, parts, stop) {
  const missing = findMissing(variant, parts);
  if (!Object.values(missing).some(Boolean)) return;
  checkCache(
    (missing.runtime ? room[variant] : 0) +
      (missing.temporal ? room.temporal : 0) +
      (missing.versitygw ? room.versitygw : 0),
  );
  await removeUnfinished();
  console.log(`Set-up (kept for all clones: ${cacheDirectory})`);
  const progress = new Progress();
  const { signal } = stop;

  /** @type {(needed: boolean, name: string, work: Parameters<Progress['step']>[1]) => Promise<void>} */
  const step = async (needed, name, work) => {
    if (!needed) return;
    if (signal.aborted) throw new StoppedError();
    try {
      await progress.step(name, work);
    } catch (error) {
      stop.abort();
      throw error;
    }
  };

  const packages = step(missing.packages, 'npm packages', (report) => installNpmPackages(report, signal));
  const runtime = step(missing.runtime, 'TensorFlow', (report) => fetchRuntime(variant, report, signal));
  const results = await Promise.allSettled([
    packages,
    runtime,
    step(missing.temporal, 'Temporal server', (report) => fetchTemporal(report, signal)),
    step(missing.versitygw, 'S3 server', (report) => buildVersitygw(report, signal)),
    Promise.all([packages, runtime]).then(() =>
      step(missing.binding, 'TensorFlow binding', (report) => installBinding(variant, report, signal)),
    ),
    packages.then(() => step(missing.build, 'TypeScript', (report) => buildTypescript(report, signal))),
  ]);
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => !(reason instanceof StoppedError)) ?? new StoppedError();
  console.log(`Set-up done in ${progress.seconds().toFixed(0)} s.`);
}

/**
 * Does what is missing.
 *
 * @param {readonly string[]} options of the command line
 * @returns {Promise<void>}
 * @throws {import('./errors.mjs').SetupError | StoppedError}
 */
export async function setup(options) {
  const parts = wantedParts(options);
  checkPlatform(parts);
  const variant = parts.includes('runtime') ? chooseVariant(options) : 'cpu';
  if (!Object.values(findMissing(variant, parts)).some(Boolean)) return;
  const stop = new AbortController();
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.once(name, () => stop.abort());
  const onWait = () => console.log('Another set-up is at work: waiting for it.');
  await withLock(cacheDirectory, onWait, () => doWhatIsMissing(variant, parts, stop));
}
