import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownDirectory } from '../../workers/ownDirectory/ownDirectory.js';
import { ownIdentity } from '../../workers/ownDirectory/processIdentity.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const fresh = () => temporaryFolder();
const lockOf = (directory: string) => join(directory, 'data-worker.lock');
const options = { onWait: () => undefined, renewSeconds: 0.1 };
const taken = /is the folder of another data worker that runs: .* Give this one a --directory of its own/;

/** A process that holds a folder until it is killed. */
async function holder(test: TestContext, directory: string) {
  const module = new URL('../../workers/ownDirectory/ownDirectory.js', import.meta.url).href;
  const code = `
const { ownDirectory } = await import(${JSON.stringify(module)});
await ownDirectory(${JSON.stringify(directory)}, { onWait: () => {} });
console.log('held');
`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('a second data worker on a folder is refused while the first runs, and taken at once when that was killed', async (t) => {
  const directory = fresh();
  const first = await holder(t, directory);
  await assert.rejects(ownDirectory(directory, options), taken);
  const gone = once(first, 'exit');
  first.kill('SIGKILL');
  await gone;
  const startedAt = performance.now();
  const { release } = await ownDirectory(directory, { ...options, renewSeconds: 60 });
  assert.ok(performance.now() - startedAt < 2000, 'a dead owner on this machine is not waited for');
  await release();
  assert.deepEqual(readdirSync(directory), []);
});

test('an owner on another machine is known by its signs of life alone, whatever its clock says', async () => {
  const directory = fresh();
  const foreign = { token: 'theirs', owner: { ...ownIdentity(), host: 'node-7', space: 'another machine' } };
  writeFileSync(lockOf(directory), JSON.stringify(foreign));
  let clock = 1e9;
  const living = setInterval(() => utimesSync(lockOf(directory), ++clock, clock), 50);
  const said: string[] = [];
  const waiting = { ...options, onWait: (message: string) => void said.push(message) };
  await assert.rejects(ownDirectory(directory, waiting), /process \d+ on node-7/);
  clearInterval(living);
  assert.match(said[0] ?? '', /held by process \d+ on node-7: waiting 0\.4 s/);
  const { release, lost } = await ownDirectory(directory, options);
  await sleep(250);
  assert.equal(lost.aborted, false);
  await release();
});

test('one that was stopped for so long that another took its folder ends when it goes on, and takes nothing back', async () => {
  const directory = fresh();
  const { release, lost } = await ownDirectory(directory, options);
  const other = JSON.stringify({ token: 'theirs', owner: { ...ownIdentity(), space: 'another machine' } });
  writeFileSync(lockOf(directory), other);
  await once(lost, 'abort');
  assert.match(String(lost.reason), /was taken by another data worker/);
  await release();
  assert.equal(readFileSync(lockOf(directory), 'utf8'), other);
});

test('a lock that a power failure cut off is no lock', async () => {
  const directory = fresh();
  writeFileSync(lockOf(directory), '');
  const { release } = await ownDirectory(directory, options);
  assert.ok(existsSync(lockOf(directory)));
  await release();
});
