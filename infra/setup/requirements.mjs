import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './errors.mjs';
import { cacheDirectory } from './paths.mjs';
import { megabytes } from './progress.mjs';

/** The oldest Node that the program still runs on. */
export const minimumNode = [20, 19];

/** The oldest Node that is supported: the AWS SDK drops Node 20 in January 2027. */
export const supportedNode = 22;

/**
 * @param {import('./parts.mjs').Part[]} parts that are wanted
 * @throws {SetupError} this machine cannot run the program, whatever is installed
 */
export function checkPlatform(parts) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = minimumNode;
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    throw new SetupError(`Node ${process.versions.node} is too old.`, `Install Node ${supportedNode} or newer.`);
  }
  if (major < supportedNode) {
    console.error(
      `Node ${process.versions.node} still works, but will not for long: the AWS SDK drops Node 20 in January 2027. Install Node ${supportedNode} or newer.`,
    );
  }
  // The command line alone is JavaScript, and what npm has for Linux, macOS and Windows.
  if (!parts.includes('runtime')) return;
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new SetupError(
      `TensorFlow's libraries are fetched for Linux on x86-64 or arm64 only; this is ${process.platform} on ${process.arch}.`,
      'Use such a machine, a container or WSL 2; for the command line alone: npm run setup -- --client',
    );
  }
}

/**
 * @param {number} bytes needed while the set-up runs
 * @throws {SetupError} the cache's disk has less room, or cannot be written
 */
export function checkCache(bytes) {
  try {
    makeFolder(cacheDirectory);
  } catch (error) {
    throw new SetupError(
      `The cache directory ${cacheDirectory} cannot be made (${error instanceof Error ? error.message : error}).`,
      'Set TEMPEH_CACHE to a folder that you may write.',
    );
  }
  const { bavail, bsize } = statfsSync(cacheDirectory);
  if (bavail * bsize < bytes) {
    throw new SetupError(
      `The disk of ${cacheDirectory} has ${megabytes(bavail * bsize)} free; the set-up needs ${megabytes(bytes)}.`,
      'Make room, or set TEMPEH_CACHE to a folder on another disk.',
    );
  }
}

/**
 * As disk/makeFolder.ts, which is not compiled yet: Node's `recursive` never returns below /proc.
 *
 * @param {string} folder
 * @returns {void}
 */
function makeFolder(folder) {
  const isThere = () => existsSync(`${folder}/.`);
  if (isThere()) return;
  if (path.dirname(folder) !== folder) makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o755 });
  } catch (error) {
    if (!isThere()) throw error;
  }
}
