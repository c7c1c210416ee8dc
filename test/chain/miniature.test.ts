import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { objectStoreEnvironment } from '../../cli/connection.js';
import type { LastRun } from '../../cli/quickstart/lastRun.js';
import { readJson, workspace } from '../../cli/machine/workspace.js';
import { runSteps } from '../../configs/temporal.js';
import { methodNames } from '../../evaluation/types.js';
import { startObjectStore, startTemporal } from '../../infra/services/index.js';
import { keys } from '../../storage/keys.js';
import { s3At } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import { connectClient } from '../../client/connection/client.js';
import { tempehFlow } from '../support/commandLine.js';
import { Launcher, processesWith } from './launcher.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** Each test goes on from what the one before left, as a user does. */
describe('npm start: the whole chain with real servers, workers and trainers', { timeout: 540_000 }, async () => {
  const directory = temporaryFolder();
  const space = workspace(directory);
  const marker = `chain-${randomUUID()}`;
  const leftovers = () => processesWith([marker, directory]);
  /** The kernel takes a moment to bury what was killed. */
  const assertNoneLeft = async (): Promise<void> => {
    for (let waited = 0; leftovers().length > 0 && waited < 20; waited++) await sleep(100);
    assert.deepEqual(leftovers(), []);
  };
  const launchers: Launcher[] = [];
  const launch = (...options: string[]): Launcher => {
    const launcher = new Launcher(directory, marker, options);
    launchers.push(launcher);
    return launcher;
  };
  const lastRun = (): LastRun => {
    const found = readJson<LastRun>(space.lastRun);
    assert.ok(found !== null, `no ${space.lastRun}`);
    return found;
  };
  after(async () => {
    for (const launcher of launchers) launcher.kill();
    for (const { pid } of leftovers()) process.kill(pid, 'SIGKILL');
  });

  test('a worker that is killed is started again; Ctrl-C then leaves no process', async () => {
    const launcher = launch();
    await launcher.until(/▸ +coarse-pretraining/);
    const busy = await new Launcher(directory, marker).ended;
    assert.equal(busy, 1, 'a second start on the same folder must be refused');
    const worker = leftovers().find(({ command }) => /^\S*node .* worker gpu /.test(command));
    assert.ok(worker !== undefined, JSON.stringify(leftovers()));
    process.kill(worker.pid, 'SIGKILL');
    await launcher.until(/the gpu worker ended .* started again/);
    await launcher.until(/▸ +coarse-finetuning/);
    launcher.interrupt();
    assert.equal(await launcher.ended, 130, launcher.output);
    assert.match(launcher.output, /The next npm start goes on/);
    await assertNoneLeft();
  });

  test('the next start goes on with the same run, to its end', async () => {
    const interrupted = readJson<{ run: string }>(join(directory, 'current-run.json'))?.run;
    const launcher = launch();
    assert.equal(await launcher.ended, 0, launcher.output);
    assert.equal(lastRun().run, interrupted);
    for (const step of runSteps) assert.match(launcher.output, new RegExp(`✔ +${step}`));
    for (const method of Object.values(methodNames)) assert.ok(launcher.output.includes(method), method);
    await assertNoneLeft();
  });

  test('last-run.json says where everything is', async () => {
    const { stages, steps, evaluation, events, report } = lastRun();
    assert.deepEqual(
      stages.map(({ stage, step }) => [stage, step]),
      [
        ['coarse-pretraining', 24],
        ['coarse-finetuning', 36],
        ['refinement', 12],
      ],
    );
    assert.deepEqual(
      steps.map(({ step }) => step),
      [...runSteps],
    );
    for (const { seconds } of [...stages, ...steps]) assert.ok(seconds !== null && seconds > 0);
    assert.ok(evaluation !== null && report !== null);
    assert.equal(evaluation.frames, 2);
    const models = evaluation.methods.map(({ method }) => method).filter((name) => !name.includes('components'));
    assert.deepEqual(new Set(models), new Set<string>(Object.values(methodNames)));
    const page = await readFile(report, 'utf8');
    assert.match(page, /<img alt="refinement: error"/);
    assert.match(page, /<tr><th>refinement<td>1<td>.*<td class="text">[^<]+:\d+<td class="text">finished/);
    for (const stage of ['coarse', 'refinement']) {
      const files = await readdir(join(events, stage));
      assert.ok(files.length > 0);
      for (const file of files) assert.ok(countRecords(await readFile(join(events, stage, file))) > 1, file);
    }
  });

  test('a further start shows what is there within seconds', async () => {
    const startedAt = Date.now();
    const launcher = launch();
    assert.equal(await launcher.ended, 0, launcher.output);
    assert.ok(Date.now() - startedAt < 20_000);
    assert.ok(launcher.output.includes(lastRun().run));
    assert.match(launcher.output, /refinement +\d+\.\d\d/);
  });

  test('the servers, started again, have every step complete and the weights that were named', async () => {
    const { run, objectStore, stages, temporal } = lastRun();
    const [server, bucket] = await Promise.all([
      startTemporal({ directory: space.temporal, port: 0, uiPort: 0 }),
      startObjectStore({ directory: space.objectStore, port: 0, bucket: objectStore.bucket }),
    ]);
    const client = await connectClient({ address: server.address, namespace: temporal.namespace });
    try {
      for (const workflowId of [run, ...runSteps.map((step) => `${run}/${step}`)]) {
        const { status } = await client.workflow.getHandle(workflowId).describe();
        assert.equal(status.name, 'COMPLETED', workflowId);
      }
      const { stdout } = await tempehFlow(['status', run, '--address', server.address]);
      assert.match(stdout, /completed.*refinement +\d+\.\d\d/s);
      const listed = await tempehFlow(['list', '--json', '--address', server.address]);
      const rows = JSON.parse(listed.stdout) as { workflowId: string; stage: string; step: number | null }[];
      const row = rows.find(({ workflowId }) => workflowId === run);
      assert.deepEqual([row?.stage, row?.step], ['evaluation', null], 'the iteration of its last training is over');

      Object.assign(process.env, objectStoreEnvironment(bucket));
      const store = s3Store(s3At(bucket));
      for (const { checkpoint, modelSha256 } of stages) {
        const { body } = await store.get(`${checkpoint}/model.safetensors`);
        assert.equal(createHash('sha256').update(body).digest('hex'), modelSha256);
      }
      assert.ok(await store.head(keys.evaluation(run)));
    } finally {
      await client.connection.close();
      await Promise.all([server.stop(), bucket.stop()]);
    }
    assert.ok(existsSync(space.lastRun));
    await assertNoneLeft();
  });
});

/** Records of an event file: length, checksum, content, checksum. @throws when the file ends within one. */
function countRecords(bytes: Buffer): number {
  let count = 0;
  for (let offset = 0; offset < bytes.length; count++) {
    offset += 12 + Number(bytes.readBigUInt64LE(offset)) + 4;
    assert.ok(offset <= bytes.length, 'the file is cut off');
  }
  return count;
}
