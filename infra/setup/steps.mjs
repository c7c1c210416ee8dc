/** What the set-up does, step by step. */
import { SetupError, StoppedError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { removeUnfinished } from './cache/cacheEntry.mjs';
import { installNpmPackages, npmPackagesMissing } from './npmPackages.mjs';
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
 * @returns what is not there yet
 */
function findMissing(variant) {
  const packages = npmPackagesMissing().length > 0;
  return {
    packages,
    runtime: !runtimeIsCached(variant),
    binding: packages || !bindingIsInstalled(variant),
    temporal: !temporalIsCached(),
    versitygw: !versitygwIsCached(),
    build: packages || !buildIsCurrent(),
  };
}

/**
 * @param {'cpu' | 'gpu'} variant
 * @param {AbortController} stop fires when one step fails or the user stops the set-up
 */
async function doWhatIsMissing(variant, stop) {
  const missing = findMissing(variant);
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
 * @throws {SetupError | StoppedError}
 */
export async function setup(options) {
  const unknown = options.find((option) => !['--gpu', '--cpu'].includes(option));
  if (unknown) throw new SetupError(`Unknown option ${unknown}.`, 'Usage: npm run setup [-- --gpu | --cpu]');
  checkPlatform();
  const variant = chooseVariant(options);
  if (!Object.values(findMissing(variant)).some(Boolean)) return;
  const stop = new AbortController();
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.once(name, () => stop.abort());
  const onWait = () => console.log('Another set-up is at work: waiting for it.');
  await withLock(cacheDirectory, onWait, () => doWhatIsMissing(variant, stop));
}
