/** Lays out the command line as its npm package has it, with the packages that its shrinkwrap names apart: `node layOutClient.mjs FOLDER`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { packClient } from '../client/pack.mjs';
import { packageRoot } from '../setup/paths.mjs';
import { prune } from './prunePackages.mjs';

const [, , target] = process.argv;
if (target === undefined) throw new Error('Usage: node layOutClient.mjs FOLDER');
const { file, contents } = await packClient(target);
execFileSync('tar', ['-xzf', file, '-C', target], { stdio: 'inherit' });
const app = path.join(target, 'app');
renameSync(path.join(target, 'package'), app);
const options = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
execFileSync('npm', ['ci', ...options], { stdio: 'inherit', cwd: app });
const packages = path.join(target, 'node_modules');
renameSync(path.join(app, 'node_modules'), packages);
prune(packages);
copyFileSync(contents, path.join(app, 'npm.cdx.json'));
const images = path.join('infra', 'images');
mkdirSync(path.join(app, images), { recursive: true });
copyFileSync(path.join(packageRoot, images, 'contents.mjs'), path.join(app, images, 'contents.mjs'));
