import { lstatSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from '../errors.mjs';
import { keepToOwner, sha256Of } from '../downloads/programs.mjs';

/**
 * What was noted of a library when it was found right: hashing 850 MB for every process would cost it a second, so that
 * is done again only where the file is not as it was then.
 *
 * @typedef {{ sha256: string, size: number, mtimeMs: number, ctimeMs: number, ino: number }} SealedFile
 */

const sealName = 'verified.json';

/**
 * Notes the libraries of a runtime whose wheels have just been checked against their pins.
 *
 * @param {string} directory with `lib/` and, for a GPU, `nvidia/`
 * @returns {Promise<void>}
 */
export async function sealRuntime(directory) {
  /** @type {Record<string, SealedFile>} */
  const files = {};
  for (const name of librariesBelow(directory)) {
    const file = path.join(directory, name);
    files[name] = { sha256: await sha256Of(file), ...stateOf(file) };
  }
  writeSeal(directory, files);
}

/**
 * Checks the libraries of a cached runtime before they are loaded: others may have written to the cache, or a disk have failed.
 *
 * @param {string} directory
 * @returns {Promise<void>}
 * @throws {SetupError} one is another than was set up, is missing or new, or others could have changed it
 */
export async function checkRuntime(directory) {
  const found = librariesBelow(directory);
  for (const name of found) keepToOwner(path.join(directory, name));
  const sealed = readSeal(directory);
  // Fetched by a version that noted nothing: nobody but its owner could have changed it.
  if (sealed === undefined) return sealRuntime(directory);
  const names = new Set([...found, ...Object.keys(sealed)]);
  /** @type {Record<string, SealedFile>} */
  const files = {};
  let isAsBefore = true;
  for (const name of names) {
    const file = path.join(directory, name);
    const expected = sealed[name];
    if (expected === undefined || !found.includes(name)) {
      throw unlike(directory, file, expected === undefined ? 'it was not there then' : 'it is not there any more');
    }
    const state = stateOf(file);
    const isSame = Object.entries(state).every(
      ([key, value]) => expected[/** @type {keyof SealedFile} */ (key)] === value,
    );
    if (!isSame) {
      const sha256 = await sha256Of(file);
      if (sha256 !== expected.sha256) {
        throw unlike(directory, file, `its SHA-256 is ${sha256}, expected ${expected.sha256}`);
      }
    }
    isAsBefore &&= isSame;
    files[name] = { sha256: expected.sha256, ...state };
  }
  if (!isAsBefore) writeSeal(directory, files);
}

/**
 * @param {string} directory
 * @param {string} file
 * @param {string} how
 */
function unlike(directory, file, how) {
  return new SetupError(
    `${file} is not the library that was set up: ${how}. It was not loaded.`,
    `Remove ${directory}, look who else may write there, and run \`npm run setup\`.`,
  );
}

/**
 * @param {string} directory
 * @returns {string[]} paths below it
 */
function librariesBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.so(\.[\w.]+)?$/.test(entry.name))
    .map((entry) => path.relative(directory, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** @param {string} file */
function stateOf(file) {
  const { size, mtimeMs, ctimeMs, ino } = lstatSync(file);
  return { size, mtimeMs, ctimeMs, ino };
}

/**
 * @param {string} directory
 * @returns {Record<string, SealedFile> | undefined}
 */
function readSeal(directory) {
  try {
    return JSON.parse(readFileSync(path.join(directory, sealName), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unlike(directory, path.join(directory, sealName), 'it cannot be read');
  }
}

/**
 * @param {string} directory
 * @param {Record<string, SealedFile>} files
 */
function writeSeal(directory, files) {
  const fresh = path.join(directory, `${sealName}.${process.pid}`);
  try {
    writeFileSync(fresh, `${JSON.stringify(files, undefined, 1)}\n`);
    renameSync(fresh, path.join(directory, sealName));
  } catch {
    // A cache that is not ours to write: the next process hashes again.
    rmSync(fresh, { force: true });
  }
}
