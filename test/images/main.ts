/**
 * `npm run test:images`: builds the three images with podman, looks at what is in them, and lets containers of them take a run
 * to its end. As root: `apt-get install podman runc mmdebstrap`. `--keep` leaves the images and the folder with all logs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killDescendants } from '../../cli/quickstart/processTree.js';
import { buildImages, targets } from '../../infra/images/build.mjs';
import { removeContainers } from './container.js';
import { lookInside } from './inside.js';
import { playScenario } from './scenario.js';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const began = Date.now();
const say = (text: string): void =>
  console.log(`${`${((Date.now() - began) / 1000).toFixed(0)} s`.padStart(6)}  ${text}`);
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    removeContainers();
    killDescendants();
    process.exit(130);
  });
}

const directory = mkdtempSync(join(tmpdir(), 'tempeh-images-'));
const cleanups: (() => Promise<void>)[] = [];
let failure: unknown = null;
try {
  // CUDA is some GB more, and there is no GPU here.
  const images = await buildImages({ wanted: targets, tensorflow: 'cpu', tag: 'test', say });
  for (const target of targets) {
    for (const line of lookInside(target, images[target]!)) say(line);
    say(`ok  ${target}: no root, no compiler, nothing of other systems, only what runs`);
  }
  await playScenario({ directory, images, say: (text) => say(`ok  ${text}`), cleanups });
} catch (error) {
  failure = error;
}
removeContainers();
for (const cleanup of cleanups.reverse()) {
  await cleanup().catch((error: unknown) => console.error(error));
}
if (failure !== null || process.argv.includes('--keep')) console.log(`Logs: ${directory}`);
else rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
if (failure !== null) {
  console.error(failure);
  console.log('NOT OK');
}
process.exit(failure === null ? 0 : 1);
