import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { makeCacheEntry } from '../../infra/setup/cache/cacheEntry.mjs';
import { runCommand } from '../../infra/setup/commands.mjs';
import { withLock } from '../../infra/setup/lock.mjs';
import { cacheDirectory } from '../../infra/setup/paths.mjs';
import { CommandError } from '../errors.js';
import { print } from '../terminal/print.js';

const requirements = join(packageRoot, 'cli', 'tensorboard', 'requirements.txt');
const leastMinorVersion = 10;

export const python = process.env['PYTHON'] ?? 'python3';

/**
 * TensorBoard as a folder for PYTHONPATH, in the user's cache: installed with pip the first time, versions and hashes
 * pinned. It needs no TensorFlow.
 *
 * @throws CommandError without a fitting Python, or when pip fails.
 */
export async function tensorboardFolder(signal: AbortSignal): Promise<string> {
  const version = await pythonVersion(signal);
  const pinned = hash('sha256', readFileSync(requirements)).slice(0, 12);
  const folder = join(cacheDirectory, `tensorboard-py${version}-${pinned}`);
  if (existsSync(folder)) return folder;
  makeFolderSync(cacheDirectory);
  await withLock(
    cacheDirectory,
    () => print('A set-up is at work: waiting for it.'),
    async () => {
      if (existsSync(folder)) return;
      print('Installing TensorBoard from PyPI (once; half a minute) …');
      await makeCacheEntry(folder, async ({ result }) => {
        const pip = [
          '-m',
          'pip',
          'install',
          '--quiet',
          '--disable-pip-version-check',
          '--no-input',
          '--no-warn-script-location',
        ];
        const pins = ['--require-hashes', '--only-binary=:all:', '--target', result, '--requirement', requirements];
        const mend = 'Check the network and the package index that pip uses (pip config list).';
        await runCommand(python, [...pip, ...pins], { signal, mend }).catch((error: unknown) => {
          const output = (error as { output?: string }).output ?? '';
          throw new CommandError(
            `TensorBoard could not be installed. ${mend}\n${output.split('\n').slice(-8).join('\n')}`,
          );
        });
      });
    },
  );
  return folder;
}

async function pythonVersion(signal: AbortSignal): Promise<string> {
  const mend = 'Install Python 3 with pip, or set PYTHON to one.';
  const program = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const version = (await runCommand(python, ['-c', program], { signal, mend })).trim();
  const [major, minor] = version.split('.').map(Number);
  if (major !== 3 || (minor ?? 0) < leastMinorVersion) {
    throw new CommandError(
      `TensorBoard needs Python 3.${leastMinorVersion} or later; ${python} is ${version}. Set PYTHON to another.`,
    );
  }
  return version;
}
