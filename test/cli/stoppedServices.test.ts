import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeJson, workspace } from '../../cli/machine/workspace.js';
import { completeRun, interruptedData, lastHostPort } from '../../cli/quickstart/currentRun.js';
import { lastPorts } from '../../cli/quickstart/session.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** As `npm start` leaves it when it is stopped: its process is gone. */
function stoppedWorkspace(): string {
  const directory = join(temporaryFolder(), 'workspace');
  mkdirSync(directory, { recursive: true });
  writeJson(workspace(directory).services, {
    owner: { pid: 1, startTime: 'of another life' },
    purpose: 'quickstart',
    temporal: { address: '127.0.0.1:35801', namespace: 'default', uiUrl: 'http://127.0.0.1:35802' },
    objectStore: { endpoint: 'http://127.0.0.1:35803', region: 'r', bucket: 'tempeh', credentialsFile: 'none' },
    host: null,
  });
  return directory;
}

test('where npm start is stopped, no command speaks to a stranger’s server on the usual port: it could cancel their run', async () => {
  const directory = stoppedWorkspace();
  for (const args of [['list'], ['cancel', 'famos-1'], ['worker', 'data', '--directory', directory]]) {
    const { code, stderr } = await tempehFlow(args, { TEMPEH_DIRECTORY: directory });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Nothing runs here: what npm start ran in .* is stopped\. npm start goes on with it/, args[0]);
  }
  const named = await tempehFlow(['list', '--address', '127.0.0.1:1'], { TEMPEH_DIRECTORY: directory });
  assert.match(named.stderr, /127\.0\.0\.1:1\b/, 'a server that is named is asked');
  assert.doesNotMatch(named.stderr, /Nothing runs here/);
});

test('the next npm start asks for the ports of the last one: an open page of the Temporal UI stays true', () => {
  const ports = lastPorts(workspace(stoppedWorkspace()));
  assert.deepEqual(ports, { temporal: 35_801, ui: 35_802, s3: 35_803 });
  const { directory } = workspace(stoppedWorkspace());
  writeJson(join(directory, 'current-run.json'), { run: 'r', hostAddress: 'http://127.0.0.1:40303/download.php' });
  assert.equal(lastHostPort(workspace(directory)), 40_303, 'else the run would be terminated and started again');
  const never = join(temporaryFolder(), 'never');
  assert.equal(lastHostPort(workspace(never)), null);
  assert.deepEqual(lastPorts(workspace(never)), { temporal: 7233, ui: 8233, s3: 9000 });
});

test('what npm start --fresh began is gone on with, though an earlier run of the same configuration is complete', () => {
  const space = workspace(stoppedWorkspace());
  const job = { space, configurationSha256: 'c', fresh: false } as unknown as Parameters<typeof completeRun>[0];
  const current = (run: string, configurationSha256: string) =>
    writeJson(join(space.directory, 'current-run.json'), { run, configurationSha256 });
  assert.equal(completeRun(job), null, 'nothing is complete');
  writeJson(space.lastRun, { run: 'first', configurationSha256: 'c' });
  current('first', 'c');
  assert.equal(completeRun(job)?.run, 'first');
  assert.equal(completeRun({ ...job, fresh: true }), null);
  current('second', 'c');
  assert.equal(completeRun(job), null, 'the second was interrupted');
  current('second', 'of another size');
  assert.equal(completeRun(job)?.run, 'first');
});

test('an interrupted run keeps its data though the generator has changed since; another configuration, or --fresh, has new ones', () => {
  const space = workspace(stoppedWorkspace());
  const job = { space, configurationSha256: 'c', fresh: false } as unknown as Parameters<typeof interruptedData>[0];
  assert.equal(interruptedData(job), null, 'nothing was begun');
  const begun = { run: 'r', configurationSha256: 'c', fingerprint: 'miniature-0123' };
  writeJson(join(space.directory, 'current-run.json'), begun);
  assert.equal(interruptedData(job), 'miniature-0123', 'else an update of the package would cost what was trained');
  assert.equal(interruptedData({ ...job, fresh: true }), null);
  assert.equal(interruptedData({ ...job, configurationSha256: 'd' }), null);
});

test('a command that lacks its run says so, and where the runs are listed', async () => {
  const { code, stderr } = await tempehFlow(['status']);
  assert.equal(code, 2);
  assert.match(stderr, /An argument is missing: tempeh-flow status <run>\. tempeh-flow list shows the runs\./);
});

test('a value that is none of those that there are is quoted, with them', async () => {
  const { code, stderr } = await tempehFlow(['list', '--state', 'stopped']);
  assert.equal(code, 2);
  assert.match(stderr, /^error: --state stopped: expected running, paused, .* or ended\.\n\(tempeh-flow list --help/);
  const positional = await tempehFlow(['extend', 'some-run', 'fine', '5']);
  assert.match(positional.stderr, /^error: STAGE fine: expected coarse-pretraining, coarse-finetuning or refinement\./);
});

test('a command that lacks an option names it as it is typed', async () => {
  const { code, stderr } = await tempehFlow(['evaluate', 'some-run']);
  assert.equal(code, 2);
  assert.match(stderr, /^error: --out is missing\.\n\(tempeh-flow evaluate --help says/);
  const several = await tempehFlow(['predict', 'coarse']);
  assert.match(several.stderr, /^error: (--[a-z-]+, )+--out are missing\./);
});
