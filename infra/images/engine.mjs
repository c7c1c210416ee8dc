import { execFileSync } from 'node:child_process';
import { SetupError } from '../setup/errors.mjs';

/** What builds and runs images: `podman`, or what CONTAINER_ENGINE names. */
export const engine = process.env.CONTAINER_ENGINE ?? 'podman';

/**
 * Runs the container engine to its end.
 *
 * @param {readonly string[]} words
 * @param {{ shown?: boolean }} [options] whether what it does is shown
 * @returns {string} what it printed; nothing where it is shown
 * @throws {SetupError}
 */
export function runEngine(words, { shown = false } = {}) {
  try {
    const output = shown ? 'inherit' : 'pipe';
    const options = { encoding: /** @type {const} */ ('utf8'), maxBuffer: 1 << 26 };
    /** @type {string | null} */
    const printed = execFileSync(engine, words, { ...options, stdio: ['ignore', output, output] });
    return (printed ?? '').trim();
  } catch (error) {
    const { code, stderr, message } = /** @type {{ code?: string, stderr?: string, message: string }} */ (error);
    if (code === 'ENOENT') {
      throw new SetupError(
        `There is no container engine: \`${engine}\` is not installed.`,
        'Debian, Ubuntu: `apt-get install podman runc`. Another one: CONTAINER_ENGINE.',
      );
    }
    throw new SetupError(`\`${engine} ${words[0]}\` failed.`, 'See the output.', stderr ?? message);
  }
}

/**
 * @param {string} image
 * @returns {boolean} whether this machine has it
 */
export function hasImage(image) {
  try {
    runEngine(['image', 'inspect', image]);
    return true;
  } catch (error) {
    if (error instanceof SetupError && /not installed/.test(error.message)) throw error;
    return false;
  }
}
