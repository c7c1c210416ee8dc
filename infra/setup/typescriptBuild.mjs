import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './commands.mjs';
import { SetupError } from './errors.mjs';
import { packageRoot } from './paths.mjs';

const output = path.join(packageRoot, 'build');
const stamp = path.join(output, '.sources');

/** @returns {boolean} whether `build/` was made from the sources as they are */
export function buildIsCurrent() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesFingerprint();
}

/**
 * Compiles the TypeScript sources into `build/`, incrementally; a type error is a failure.
 *
 * @param {import('./progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function buildTypescript(report, signal) {
  const fingerprint = sourcesFingerprint();
  const compiler = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await runCommand(process.execPath, [compiler, '-p', 'tsconfig.json', '--pretty', 'false'], {
      cwd: packageRoot,
      signal,
      mend: 'Fix the errors below, then run `npm run setup` again.',
    });
  } catch (error) {
    if (error instanceof SetupError) throw new SetupError('The sources do not compile.', error.mend, error.output);
    throw error;
  }
  const removed = removeOutputsWithoutSource(output);
  // What Node keeps of compiled modules (cli/tempeh-flow.mjs), and the tests of generated data, is of the build before.
  for (const kept of ['.compiled', 'test/.miniatures'])
    rmSync(path.join(output, kept), { recursive: true, force: true });
  writeFileSync(stamp, fingerprint);
  report.say(removed > 0 ? `${removed} files of removed sources deleted` : '');
}

/** @returns {string} changes with every edit, new file, removal, and with the compiler's version or options */
function sourcesFingerprint() {
  const hash = createHash('sha256');
  const files = ['tsconfig.json', 'package-lock.json', ...sourceFiles('')];
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(path.join(packageRoot, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder relative to the package root
 * @returns {string[]}
 */
function sourceFiles(folder) {
  return readdirSync(path.join(packageRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      const skipped = folder === '' && /^(\.|node_modules$|build(-|$))/.test(entry.name);
      return skipped ? [] : sourceFiles(name);
    }
    return folder !== '' && /\.m?ts$|\.mjs$/.test(entry.name) ? [name] : [];
  });
}

/**
 * Deletes compiled files whose source is gone: a removed test must not run for ever.
 *
 * @param {string} folder
 * @returns {number} how many went
 */
function removeOutputsWithoutSource(folder) {
  let removed = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      removed += removeOutputsWithoutSource(file);
      continue;
    }
    const source = /^(.*)\.(m?)js(\.map)?$/.exec(path.relative(output, file));
    if (!source) continue;
    const origins = [`${source[1]}.${source[2]}ts`, `${source[1]}.${source[2]}js`];
    if (origins.some((origin) => existsSync(path.join(packageRoot, origin)))) continue;
    rmSync(file);
    removed += 1;
  }
  return removed;
}
