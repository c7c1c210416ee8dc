import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './commands.mjs';
import { packageRoot } from './paths.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, dev?: boolean }} LockedPackage
 */

/**
 * Compares what npm says it installed with the lock file: no stamp of our own, so that `npm install` by hand counts.
 *
 * @returns {string[]} packages that are missing or of another version
 */
export function npmPackagesMissing() {
  const wanted = lockedPackages(path.join(packageRoot, 'package-lock.json'));
  const installed = lockedPackages(path.join(packageRoot, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted)
    .filter(([name, locked]) => {
      if (name === '') return false;
      const found = installed[name];
      // Optional packages are those of other platforms.
      if (!found) return !locked.optional;
      return found.version !== locked.version || found.integrity !== locked.integrity;
    })
    .map(([name]) => name.replace(/^node_modules\//, ''));
}

/**
 * Installs the npm packages of the lock file, without running any script of theirs.
 *
 * @param {import('./progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function installNpmPackages(report, signal) {
  report.say('by package-lock.json');
  // On Windows npm is a script, which no program but a shell runs.
  const [program, first] = process.platform === 'win32' ? ['cmd', ['/c', 'npm']] : ['npm', []];
  await runCommand(program, [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: packageRoot,
    signal,
    mend: 'Check the network and the registry that npm uses (`npm config get registry`), then run `npm run setup` again.',
  });
  const count = Object.keys(lockedPackages(path.join(packageRoot, 'node_modules', '.package-lock.json'))).length;
  report.say(`${count} packages`);
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
function lockedPackages(file) {
  if (!existsSync(file)) return {};
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}
