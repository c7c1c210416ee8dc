import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import path from 'node:path';
import { SetupError } from '../errors.mjs';

/** Write permission of the group and of others. */
const foreignWrite = 0o022;

/**
 * Notes the SHA-256 of a program that was built, beside it: no pin can know it.
 *
 * @param {string} file
 * @returns {Promise<void>}
 */
export async function sealProgram(file) {
  writeFileSync(sealOf(file), `${await sha256Of(file)}\n`);
}

/**
 * Checks a program of the cache before it runs: others may have written to the cache, or a disk have failed.
 *
 * @param {string} file
 * @param {string} [pinned] its SHA-256; else the one that was noted when it was built
 * @returns {Promise<void>}
 * @throws {SetupError} it is another one, or others could have changed it
 */
export async function checkProgram(file, pinned) {
  keepToOwner(file);
  const seal = sealOf(file);
  // Built by a version that noted nothing: nobody but its owner could have changed it.
  if (pinned === undefined && !existsSync(seal)) await sealProgram(file);
  const expected = pinned ?? readFileSync(seal, 'utf8').trim();
  const { ino, size, mtimeMs, ctimeMs } = statSync(file);
  const state = [file, ino, size, mtimeMs, ctimeMs, expected].join(' ');
  if (checked.has(state)) return;
  const found = await sha256Of(file);
  if (found !== expected) {
    throw new SetupError(
      `${file} is not the program that was set up: its SHA-256 is ${found}, expected ${expected}. It was not run.`,
      `Remove ${path.dirname(file)}, look who else may write there, and run \`npm run setup\`.`,
    );
  }
  checked.add(state);
}

/** Files as they were when this process found them right. @type {Set<string>} */
const checked = new Set();

/**
 * Takes the permission to write from all but the owner.
 *
 * @param {string} file
 * @throws {SetupError} others may write to it, and that cannot be changed
 */
export function keepToOwner(file) {
  const { mode } = statSync(file);
  if ((mode & foreignWrite) === 0) return;
  try {
    chmodSync(file, mode & 0o777 & ~foreignWrite);
  } catch (error) {
    throw new SetupError(
      `Others than you may change ${file} (${error instanceof Error ? error.message : error}). It was not run.`,
      `Have its owner run \`chmod go-w ${file}\`, or set TEMPEH_CACHE to a folder of your own.`,
    );
  }
}

/** @param {string} file */
function sealOf(file) {
  return `${file}.sha256`;
}

/**
 * @param {string} file
 * @returns {Promise<string>} hex
 */
export async function sha256Of(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
