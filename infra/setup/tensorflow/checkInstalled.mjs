import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from '../errors.mjs';
import { sha256Of } from '../downloads/programs.mjs';
import { cacheDirectory, installedBinding } from '../paths.mjs';
import { readInstalledMarker } from './tensorflowRuntime.mjs';
import { checkRuntime } from './runtimeSeal.mjs';

/**
 * Checks TensorFlow and its binding as this clone has them installed, before a process loads them. What is not installed is
 * reported where it is loaded.
 *
 * @returns {Promise<void>}
 * @throws {SetupError}
 */
export async function checkInstalledTensorFlow() {
  const marker = readInstalledMarker();
  if (marker === undefined || !existsSync(marker.runtime)) return;
  await checkRuntime(marker.runtime);
  const seal = path.join(cacheDirectory, marker.binding, 'tfjs_binding.node.sha256');
  if (!existsSync(seal) || !existsSync(installedBinding)) return;
  const [expected, found] = [readFileSync(seal, 'utf8').trim(), await sha256Of(installedBinding)];
  if (found === expected) return;
  throw new SetupError(
    `${installedBinding} is not the binding that was built: its SHA-256 is ${found}, expected ${expected}. It was not loaded.`,
    `Remove it, look who else may write there, and run \`npm run setup\`.`,
  );
}
