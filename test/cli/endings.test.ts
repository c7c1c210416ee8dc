import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startRun } from '../../client/runs/runs.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { main, tempehFlowAlone } from '../support/commandLine.js';

let temporal: TestTemporal;
before(async () => {
  temporal = await startTestTemporal();
});
after(() => temporal.stop());

/** Starts a run that nobody works on, and a command that watches it; returns when that has said its first word. */
async function watch(run: string, command: readonly string[]): Promise<ChildProcess> {
  await startRun(temporal.client, { run, configuration: testConfiguration() });
  const child = spawn(process.execPath, [main, ...command, run, '--follow', '--address', temporal.settings.address], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data', { signal: AbortSignal.timeout(40_000) });
  return child;
}

async function exitCodeOf(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'exit', { signal: AbortSignal.timeout(40_000) }))[0];
}

test('a command that only shows a run ends when nobody reads it any more, and not with 0', async () => {
  const child = await watch('shown', ['status', '--json']);
  child.stdout?.destroy();
  assert.equal(await exitCodeOf(child), 141);
});

test('a command that goes on with a run and watches it ends as the run does, read or not', async () => {
  const handle = temporal.client.workflow.getHandle('resumed');
  await startRun(temporal.client, { run: 'resumed', configuration: testConfiguration() });
  await handle.terminate('for the test');
  const args = ['resume', 'resumed', '--follow', '--address', temporal.settings.address];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data', { signal: AbortSignal.timeout(40_000) });
  child.stdout.destroy();
  await handle.terminate('for the test');
  assert.equal(await exitCodeOf(child), 1);
});

test('a signal ends the watching, and the run goes on', async () => {
  const child = await watch('left', ['status', '--json']);
  child.kill('SIGTERM');
  assert.equal(await exitCodeOf(child), 130);
  const { status } = await temporal.client.workflow.getHandle('left').describe();
  assert.equal(status.name, 'RUNNING');
});

test('list and status, which know only those messages of Temporal that ask, show a run, and what is wrong', async () => {
  await startRun(temporal.client, { run: 'asked', configuration: testConfiguration() });
  await temporal.client.workflow.getHandle('asked').terminate('for the test');
  const ask = (...args: string[]) => tempehFlowAlone([...args, '--address', temporal.settings.address]);
  const status = await ask('status', 'asked', '--json');
  assert.equal(status.code, 0, status.stderr);
  assert.equal((JSON.parse(status.stdout) as { status: string }).status, 'TERMINATED');
  const list = await ask('list', '--json');
  assert.equal(list.code, 0, list.stderr);
  assert.ok((JSON.parse(list.stdout) as { run: string }[]).some(({ run }) => run === 'asked'));
  const elsewhere = await ask('list', '--namespace', 'not-there');
  assert.deepEqual([elsewhere.code, /has no namespace not-there/.test(elsewhere.stderr)], [2, true], elsewhere.stderr);
});

test('what is printed to a full disk is not done', async () => {
  const child = spawn(process.execPath, [main, 'config', 'show'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  assert.equal(await exitCodeOf(child), 1);
  assert.match(said, /ENOSPC/);
});
