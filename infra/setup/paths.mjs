import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json: found from this file, which also runs as `build/infra/setup/paths.mjs`. */
export const packageRoot = findPackageRoot(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Where downloads and builds are kept for all clones of one user: `TEMPEH_CACHE`, or `tempeh-flow` in
 * `$XDG_CACHE_HOME`, or in `~/.cache`.
 */
export const cacheDirectory = path.resolve(
  process.env.TEMPEH_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'tempeh-flow'),
);

/** The npm package whose native binding the set-up builds, and the TensorFlow libraries beside it. */
export const bindingPackage = path.join(packageRoot, 'node_modules', '@tensorflow', 'tfjs-node-gpu');

/** Where that package looks for its binding: N-API version 8 is the newest that it knows, on every Node since 16. */
export const installedBinding = path.join(bindingPackage, 'lib', 'napi-v8', 'tfjs_binding.node');

/** Where that package looks for TensorFlow: a link to a runtime in the cache. */
export const installedRuntime = path.join(bindingPackage, 'deps');

/** Says which binding and runtime are installed. */
export const installedMarker = path.join(bindingPackage, 'lib', 'tempeh-flow.json');

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
