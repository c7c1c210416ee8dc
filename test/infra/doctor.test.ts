import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Check, runDoctor } from '../../infra/doctor/index.js';
import { pins } from '../../infra/setup/pins.mjs';
import { temporaryFolder } from '../support/temporaryFolder.js';

const run = promisify(execFile);

const named = (checks: readonly Check[], name: string): Check => {
  const found = checks.find((check) => check.name === name);
  assert.ok(found, `a check named ${name}`);
  return found;
};

/** The doctor in an environment of its own: what it looks at is read when its modules are loaded. */
async function runElsewhere(environment: Record<string, string>): Promise<Check[]> {
  const doctor = new URL('../../infra/doctor/index.js', import.meta.url).href;
  const code = `console.log(JSON.stringify(await (await import(${JSON.stringify(doctor)})).runDoctor()))`;
  const options = { env: { ...process.env, ...environment } };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], options);
  return JSON.parse(stdout) as Check[];
}

test('on a machine that is set up, nothing is missing, and versions are shown', async () => {
  const checks = await runDoctor();
  assert.deepEqual(
    checks.filter(({ status }) => status === 'missing'),
    [],
  );
  assert.match(named(checks, 'TensorFlow').found, new RegExp(pins.tensorflow.version.replaceAll('.', '\\.')));
  assert.match(named(checks, 'S3 server').found, new RegExp(pins.versitygw.version.replaceAll('.', '\\.')));
  assert.match(named(checks, 'Temporal server').found, new RegExp(pins.temporal.version.replaceAll('.', '\\.')));
  assert.equal(named(checks, 'Node').found, process.versions.node);
  for (const { status, mend, name } of checks) assert.equal(mend === '', status === 'ok', `${name} tells what to do`);
});

test('what a machine lacks is reported, with what to do about it', async () => {
  const checks = await runElsewhere({
    TEMPEH_CACHE: path.join(temporaryFolder(), 'empty'),
    PYTHON: '/nowhere/python3',
    CXX: '/nowhere/g++',
  });
  for (const name of ['Temporal server', 'S3 server']) {
    assert.deepEqual([named(checks, name).status, named(checks, name).found], ['missing', 'not found']);
    assert.match(named(checks, name).mend, /npm run setup/);
  }
  assert.equal(named(checks, 'TensorFlow').status, 'missing', 'its libraries are not those of this cache');
  assert.match(named(checks, 'Python with pip').mend, /apt-get install python3 python3-pip/);
  assert.match(named(checks, 'C++ compiler').mend, /apt-get install g\+\+/);
  assert.match(named(checks, 'Cache').found, /does not exist/);
});

test('a port that another program uses is named', async (t) => {
  const occupant = net.createServer().listen({ host: '127.0.0.1', port: 9000 });
  t.after(() => occupant.close());
  // Somebody else may have it already: that is as good for this test.
  await Promise.race([once(occupant, 'listening'), once(occupant, 'error')]).catch(() => undefined);
  const ports = named(await runDoctor(), 'Ports');
  assert.equal(ports.status, 'warning');
  assert.match(ports.found, /9000 \(S3 server\)/);
});
