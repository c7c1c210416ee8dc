import { strict as assert } from 'node:assert';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Target } from '../../infra/images/build.mjs';
import { runEngine } from '../../infra/images/engine.mjs';
import { isForeign } from '../../infra/images/prunePackages.mjs';

const compilers = /^(gcc|g\+\+|cc|c\+\+|c[89]9|clang|cpp|ld|as|make|cmake|tcc|rustc|go|node-gyp)(-[\d.]+)?$/;
const installers = /^(npm|npx|yarn|yarnpkg|corepack|pip3?|python3?)$/;

interface Inspected {
  readonly Config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[] | null;
  };
  readonly Size: number;
}

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly unknown[];
}

/** Looks at an image without running it. @returns what is to be said of it */
export function lookInside(target: Target, image: string): string[] {
  const [inspected] = JSON.parse(runEngine(['image', 'inspect', image])) as [Inspected];
  const { User, Entrypoint, Cmd } = inspected.Config;
  assert.equal(User, '10001:10001', 'not root');
  assert.deepEqual(Entrypoint, ['node', '--enable-source-maps', '/app/cli/tempeh-flow.mjs']);
  if (target !== 'client') assert.deepEqual(Cmd?.slice(0, 2), ['worker', target]);
  const root = runEngine(['image', 'mount', image]);
  try {
    return [`${target}: ${megabytes(inspected.Size)}`, ...layers(image), ...lookAtFiles(target, root)];
  } finally {
    runEngine(['image', 'unmount', image]);
  }
}

function lookAtFiles(target: Target, root: string): string[] {
  const foreign: string[] = [];
  const compiling: string[] = [];
  const installing: string[] = [];
  const writable: string[] = [];
  const tensorflow: string[] = [];
  for (const file of filesBelow(root)) {
    const { mode, uid } = lstatSync(file);
    const place = `/${relative(root, file)}`;
    const name = place.slice(place.lastIndexOf('/') + 1);
    if (isForeign(file)) foreign.push(place);
    if (/^\/(usr\/)?(local\/)?s?bin\//.test(place)) {
      if (compilers.test(name)) compiling.push(place);
      if (installers.test(name)) installing.push(place);
    }
    if (place.startsWith('/app/') && (uid !== 0 || (mode & 0o022) !== 0)) writable.push(place);
    if (/tensorflow|tfjs/i.test(place) && !place.startsWith('/app/build/')) tensorflow.push(place);
  }
  assert.deepEqual(foreign, [], 'programs and libraries of other systems');
  assert.deepEqual(compiling, [], 'compilers');
  assert.deepEqual(installing, [], 'installers of packages');
  assert.deepEqual(writable, [], 'of others than root, or for others to write');
  const app = (...parts: string[]): string => join(root, 'app', ...parts);
  if (target === 'gpu') {
    assert.ok(tensorflow.some((place) => place.endsWith('libtensorflow_cc.so.2')));
    assert.ok(tensorflow.some((place) => place.endsWith('THIRD_PARTY_NOTICES.txt')));
  } else
    assert.deepEqual(
      tensorflow.filter((place) => !place.startsWith('/app/infra/setup/')),
      [],
      'TensorFlow',
    );
  if (target === 'client') assert.ok(!existsSync(app('node_modules', '@temporalio', 'worker')));
  else assert.equal(readdirSync(app('build', 'workflow-bundles')).length, 2, 'with payload keys and without');
  assert.ok(existsSync(join(root, 'etc', 'ssl', 'certs', 'ca-certificates.crt')));
  assert.ok(!existsSync(app('build', 'test')));
  return contents(app('sbom.cdx.json'), root, target);
}

/** The list of what is in it: whole, with a licence each, whose text is there. */
function contents(file: string, root: string, target: Target): string[] {
  const { bomFormat, components } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly bomFormat: string;
    readonly components: readonly Component[];
  };
  assert.equal(bomFormat, 'CycloneDX');
  assert.deepEqual(
    components.filter(({ licenses = [] }) => licenses.length === 0).map(({ name }) => name),
    [],
    'each with a licence',
  );
  const of = (kind: string): Component[] => components.filter(({ purl }) => purl.startsWith(`pkg:${kind}/`));
  const [debian, npm, python] = [of('deb'), of('npm'), of('pypi')];
  for (const { name } of debian) {
    assert.ok(existsSync(join(root, 'usr', 'share', 'doc', name, 'copyright')), `the licence of ${name}`);
  }
  assert.ok(debian.some(({ name }) => name === 'libc6'));
  assert.ok(npm.some(({ name }) => name === '@grpc/grpc-js'));
  assert.equal(python.length > 0, target === 'gpu');
  const others = components.length - debian.length - npm.length;
  return [
    `  its list: ${npm.length} packages of npm, ${debian.length} of Debian, ${others} others, each with a licence`,
  ];
}

/** What changes seldom lies below what changes often; ours is on top, and small. */
function layers(image: string): string[] {
  const history = JSON.parse(runEngine(['history', '--format', 'json', image])) as readonly {
    readonly CreatedBy: string;
    readonly size: number;
  }[];
  const filled = history.filter(({ size }) => size > 100_000);
  const at = (what: RegExp): number => filled.findIndex(({ CreatedBy }) => what.test(CreatedBy));
  const packages = at(/node_modules/);
  assert.ok(packages > 0, 'packages lie below our code');
  const ours = filled.slice(0, packages).reduce((sum, { size }) => sum + size, 0);
  assert.ok(at(/local\/bin\/node/) > packages, 'and Node below them');
  assert.ok(ours < 2e7, `a commit changes ${megabytes(ours)}`);
  return filled.map(({ CreatedBy, size }) => `${megabytes(size).padStart(9)}  ${shortened(CreatedBy)}`).reverse();
}

/** As a builder writes it down: a shell's words before, hashes within. */
function shortened(command: string): string {
  return command
    .replace(/^\/bin\/sh -c (#\(nop\) )?/, '')
    .replaceAll(/\b(dir|file|multi):[0-9a-f]{64} in /g, '')
    .slice(0, 90)
    .trim();
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else if (entry.isFile()) yield file;
  }
}
