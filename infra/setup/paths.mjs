import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './errors.mjs';

/** The folder that holds package.json: found from this file, which also runs as `build/infra/setup/paths.mjs`. */
export const packageRoot = findPackageRoot(path.dirname(fileURLToPath(import.meta.url)));

/** Where downloads and builds are kept for all clones of one user. */
export const cacheDirectory = findCache(process.env);

/** The npm package whose native binding the set-up builds, and the TensorFlow libraries beside it. */
export const bindingPackage = path.join(packageRoot, 'node_modules', '@tensorflow', 'tfjs-node-gpu');

/** Where that package looks for its binding: N-API version 8 is the newest that it knows, on every Node since 16. */
export const installedBinding = path.join(bindingPackage, 'lib', 'napi-v8', 'tfjs_binding.node');

/** Where that package looks for TensorFlow: a link to a runtime in the cache. */
export const installedRuntime = path.join(bindingPackage, 'deps');

/** Says which binding and runtime are installed. */
export const installedMarker = path.join(bindingPackage, 'lib', 'tempeh-flow.json');

/**
 * `TEMPEH_CACHE`, or `tempeh-flow` in `$XDG_CACHE_HOME`, or in `~/.cache`.
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @param {() => string} [homeOf] the user's folder as the system has it: it throws for a user that the system does not know
 * @returns {string} an absolute path
 * @throws {SetupError} nothing says where
 */
export function findCache(environment, homeOf = () => os.userInfo().homedir) {
  if (environment.TEMPEH_CACHE) return path.resolve(environment.TEMPEH_CACHE);
  if (environment.XDG_CACHE_HOME) return path.resolve(environment.XDG_CACHE_HOME, 'tempeh-flow');
  let home = environment.HOME;
  try {
    home ||= homeOf();
  } catch {
    // Said below.
  }
  if (!home || !path.isAbsolute(home)) {
    throw new SetupError(
      `Where this user keeps files is not known: HOME is ${home ? `"${home}", no absolute path` : 'not set, and the system has no entry for the user'}.`,
      'Set HOME, or TEMPEH_CACHE to a folder that you may write (some GB: TensorFlow, the servers).',
    );
  }
  return path.join(home, '.cache', 'tempeh-flow');
}

/**
 * @param {string} start
 * @returns {string}
 */
function findPackageRoot(start) {
  let folder = start;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${start}: run this from inside the repository.`);
    folder = parent;
  }
  return folder;
}
