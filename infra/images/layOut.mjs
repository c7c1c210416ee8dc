/** Lays out what of this repository, compiled, is in the images of workers: `node layOut.mjs FOLDER`. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { billOfMaterials } from '../client/billOfMaterials.mjs';
import { packageRoot } from '../setup/paths.mjs';

const [, , target] = process.argv;
if (target === undefined) throw new Error('Usage: node layOut.mjs FOLDER');
const parts = [
  ...['package.json', 'LICENSE', 'NOTICE', 'cli/tempeh-flow.mjs', 'configs', 'datasets/published.yaml'],
  ...['report/browser', 'infra/setup', 'infra/images/contents.mjs', 'build'],
];
/** Tests, measurements, what the compiler notes for itself, and sources of what is compiled. */
const left = /^build\/(test|bench|\.compiled|\.sources)(\/|$)|\.tsbuildinfo$|^(configs|infra)\/.*\.(ts|cc|h)$/;
for (const part of parts) {
  mkdirSync(path.dirname(path.join(target, part)), { recursive: true });
  cpSync(path.join(packageRoot, part), path.join(target, part), {
    recursive: true,
    preserveTimestamps: true,
    filter: (file) => !left.test(path.relative(packageRoot, file)),
  });
}
/** All packages that package-lock.json names; contents.mjs keeps those that an image has. */
writeFileSync(path.join(target, 'npm.cdx.json'), billOfMaterials(packageRoot));
