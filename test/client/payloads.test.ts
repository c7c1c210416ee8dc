import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Context } from '@temporalio/activity';
import proto from '@temporalio/proto';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { ActivityHeartbeat } from '../../activities/types.js';
import { connectClient, RunError } from '../../client/connection/client.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { withDevices } from '../../client/runs/devices.js';
import { runsUnderWay } from '../../client/runs/runsUnderWay.js';
import { taskQueues } from '../../configs/queues.js';
import { listRuns } from '../../client/runs/listRuns.js';
import { startCodecServer } from '../../client/payloads/codecServer.js';
import { EncryptingCodec } from '../../client/payloads/payloadCodec.js';
import { keysFileVariable, PayloadKeys } from '../../client/payloads/payloadKeys.js';
import { cancelRun, configurationOf, resumeRun, startRun } from '../../client/runs/runs.js';
import { resume } from '../../cli/runs/resume.js';
import { keys as objectKeys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { putJson } from '../activities/support/store.js';
import { tempehFlow } from '../support/commandLine.js';
import { packed, testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const newKey = (id: string): string => `${id} ${randomBytes(32).toString('base64')}`;
const folder = temporaryFolder();
const file = join(folder, 'keys');
const environment = { [keysFileVariable]: file };
const codecOf = (text: string): EncryptingCodec => new EncryptingCodec(PayloadKeys.of({ TEMPEH_PAYLOAD_KEYS: text }));
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload!);
const setting = (message: RegExp) => (error: unknown) =>
  error instanceof RunError && error.reason === 'setting' && message.test(error.message);

describe('keys', () => {
  test('keys that cannot be used are reported by line, and never shown', () => {
    const secret = randomBytes(31).toString('base64');
    const wrong: readonly [string, RegExp][] = [
      [`a ${secret}`, /^Line 1 of TEMPEH_PAYLOAD_KEYS is not a key; expected a line a key/],
      [`# none\n\n`, /holds no key/],
      [`${newKey('a')}\n${newKey('a')}`, /two keys named a/],
    ];
    for (const [text, message] of wrong) {
      assert.throws(
        () => PayloadKeys.of({ TEMPEH_PAYLOAD_KEYS: text }),
        (error: Error) => setting(message)(error) && !error.message.includes(secret),
      );
    }
    const gone = { TEMPEH_PAYLOAD_KEYS_FILE: join(folder, 'none') };
    assert.throws(() => PayloadKeys.of(gone), setting(/names .*none, which cannot be read \(ENOENT\)/));
    const both = { ...gone, TEMPEH_PAYLOAD_KEYS: newKey('a') };
    assert.throws(() => PayloadKeys.of(both), setting(/both set/));
    assert.equal(PayloadKeys.of({}), null);
  });

  test('keys are changed without a restart and without a loss: the first encrypts, each decrypts what it encrypted', async () => {
    const changing = join(folder, 'changing');
    const [old, fresh] = [newKey('2025'), newKey('2026')];
    writeFileSync(changing, old);
    const codec = new EncryptingCodec(PayloadKeys.of({ [keysFileVariable]: changing }));
    const first = await codec.encode([payloadOf('before')]);
    const renewed = await codecOf(`${fresh}\n${old}`).encode([payloadOf('after')]);
    await assert.rejects(codec.decode(renewed), setting(/key "2026", and it is not among ours/));
    writeFileSync(changing, `# two\n${fresh}\n${old}\n`);
    utimesSync(changing, new Date(), new Date(Date.now() + 5000));
    assert.deepEqual((await codec.decode([...first, ...renewed])).map(valueOf), ['before', 'after']);
    assert.equal(Buffer.from((await codec.encode(first))[0]!.metadata!['encryption-key-id']!).toString(), '2026');
    // While the file is being replaced it is not there.
    writeFileSync(changing, '');
    assert.deepEqual((await codec.decode(renewed)).map(valueOf), ['after']);
  });

  test('keys open nothing that was changed, or was encrypted with another key of that name', async () => {
    const codec = codecOf(newKey('a'));
    const [sealed] = await codec.encode([payloadOf({ bucket: 'heads' })]);
    assert.doesNotMatch(Buffer.from(sealed!.data!).toString('latin1'), /bucket|heads/);
    const data = Buffer.from(sealed!.data!);
    data[data.length - 20]! ^= 1;
    await assert.rejects(codec.decode([{ ...sealed, data }]), setting(/not what was encrypted with key "a"/));
    await assert.rejects(codec.decode([{ ...sealed, data: data.subarray(0, 10) }]), setting(/not what was encrypted/));
    await assert.rejects(codecOf(newKey('a')).decode([sealed!]), setting(/another key bore that name/));
    await assert.rejects(new EncryptingCodec(null).decode([sealed!]), setting(/TEMPEH_PAYLOAD_KEYS_FILE is set/));
    const plain = payloadOf('of before there were keys');
    assert.deepEqual(await codec.decode([plain]), [plain]);
  });
});

test('the codec server reads for pages of the UI, and for nobody else', async () => {
  const codec = codecOf(newKey('a'));
  const origin = 'https://temporal.example.com';
  const server = await startCodecServer({ codec, origins: [origin], host: '127.0.0.1', port: 0 });
  const ask = (path: string, body: string, headers: Record<string, string> = { origin }) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  const json = ({ metadata, data }: Payload) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata!).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    ),
    data: Buffer.from(data!).toString('base64'),
  });
  try {
    const body = JSON.stringify({ payloads: (await codec.encode([payloadOf('told')])).map(json) });
    const answer = await ask('/decode', body);
    assert.equal(answer.headers.get('access-control-allow-origin'), origin);
    assert.deepEqual(await answer.json(), { payloads: [json(payloadOf('told'))] });
    const there = (await (await ask('/encode', JSON.stringify({ payloads: [json(payloadOf('x'))] }))).json()) as object;
    assert.deepEqual(await (await ask('/decode', JSON.stringify(there))).json(), { payloads: [json(payloadOf('x'))] });
    const preflight = await fetch(`${server.url}/decode`, { method: 'OPTIONS', headers: { origin } });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /x-namespace/);
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: '' }]) {
      const refused = await ask('/decode', body, headers);
      assert.equal(refused.status, 403);
      assert.equal(refused.headers.get('access-control-allow-origin'), null);
      assert.doesNotMatch(await refused.text(), /told|dG9sZ/);
    }
    assert.equal((await ask('/decode', '{"payloads":[{"data":5}]}')).status, 400);
    assert.equal((await ask('/decode', 'no JSON')).status, 400);
    assert.equal((await ask('/keys', body)).status, 404);
  } finally {
    await server.close();
  }
});

describe('with a server', () => {
  let temporal: TestTemporal;
  before(async () => {
    writeFileSync(file, newKey('heads'));
    temporal = await startTestTemporal(environment);
  });
  after(() => temporal.stop());

  test('no history has plain text, and runs are steered, described and started again as ever', async () => {
    const { client } = temporal;
    const path = join(folder, 'a-secret-place');
    const configuration = testConfiguration({ storage: { kind: 'directory', path } });
    const told: ActivityHeartbeat = { kind: 'training', progress: null, message: 'secret words', preemptions: 0 };
    const failure = 'The secret reason.';
    let attempts = 0;
    const activities = testActivities([], {
      findDataset: async () => packed,
      trainStage: async ({ stage }) => {
        Context.current().heartbeat(told);
        if (++attempts === 1) throw ApplicationFailure.create({ message: failure, nextRetryDelay: '1 hour' });
        if (attempts === 2) throw ApplicationFailure.nonRetryable(failure, 'DataUnusable');
        return { stage, step: 5, loss: 1, checkpoint: { step: 5, key: 'k', modelSha256: 'a' }, seconds: 1 };
      },
    });
    const steps = ['dataset', 'coarse-pretraining'] as const;
    await temporal.withWorkers(activities, 'all', async () => {
      await startRun(client, { run: 'sealed', configuration, steps });
      const waiting = await waitFor('the back-off', async () => {
        const { progress, activities: pending } = await describeRun(client, 'sealed');
        return pending[0]?.nextAttemptAt && progress ? pending[0] : undefined;
      });
      assert.deepEqual([waiting.heartbeat, waiting.lastFailure], [told, failure]);
      const raw = (await client.workflow.getHandle('sealed/coarse-pretraining').describe()).raw.pendingActivities?.[0];
      assert.equal(raw?.lastFailure?.message, 'Encoded failure');

      const without = await connectClient(temporal.settings, {});
      await assert.rejects(configurationOf(without, 'sealed'), setting(/key "heads", and neither TEMPEH_PAYLOAD_KEYS/));
      const [listed] = await withDevices(without, await listRuns(without));
      assert.equal(listed?.run, 'sealed', 'a run whose key is lost hides no other from `list`');
      assert.deepEqual(
        await runsUnderWay(without, taskQueues().data),
        [],
        'nor keeps it a worker from asking for others',
      );
      await without.connection.close();
      assert.deepEqual(await configurationOf(client, 'sealed'), configuration);

      await client.workflow.getHandle('sealed/coarse-pretraining').terminate();
      await client.workflow
        .getHandle('sealed')
        .result()
        .catch(() => null);
      await resumeRun(client, 'sealed');
      await client.workflow
        .getHandle('sealed')
        .result()
        .catch(() => null);
      assert.match((await describeRun(client, 'sealed')).failure ?? '', /The secret reason/);
      await resumeRun(client, 'sealed');
      await client.workflow.getHandle('sealed').result();
    });
    const executions: string[] = [];
    for await (const { workflowId, runId } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const text = Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish()).toString('latin1');
      assert.doesNotMatch(text, /secret|a-secret-place|download\.php|full training of|look for|at .*\.js/);
      assert.match(text, /binary\/encrypted/);
      executions.push(workflowId);
    }
    assert.ok(executions.length >= 6, executions.join());
  });

  test('a run whose key is lost is cancelled, ended without its workers, and its name is free again', async () => {
    const { client, settings } = temporal;
    const configuration = testConfiguration();
    const without = await connectClient(settings, {});
    const activities = testActivities([], {
      findDataset: async () => packed,
      trainStage: async () => Context.current().cancelled,
    });
    const statusOf = async (id: string) => (await client.workflow.getHandle(id).describe()).status.name;
    const steps = ['dataset', 'coarse-pretraining'] as const;
    try {
      await temporal.withWorkers(activities, 'all', async () => {
        for (const run of ['theirs', 'lost']) {
          await startRun(client, { run, configuration, steps });
          await waitFor('training', async () => (await describeRun(client, run)).activities[0]?.worker ?? undefined);
        }
        await cancelRun(without, 'theirs');
        assert.equal(await statusOf('theirs'), 'CANCELLED');
      });
      await assert.rejects(startRun(without, { run: 'lost', configuration, steps }), /lost is running already/);
      const cancelled = await tempehFlow(['cancel', 'lost', '--terminate', '--address', settings.address]);
      assert.equal(cancelled.code, 0, cancelled.stderr);
      assert.match(cancelled.stdout, /lost is terminated/);
      for (const id of ['lost', 'lost/coarse-pretraining']) assert.equal(await statusOf(id), 'TERMINATED', id);
      await startRun(without, { run: 'lost', configuration, steps, answerSeconds: 1 });
      assert.deepEqual(await configurationOf(without, 'lost'), configuration);
    } finally {
      await without.workflow
        .getHandle('lost')
        .terminate()
        .catch(() => undefined);
      await without.connection.close();
    }
  });

  test('a namespace in which nothing was registered has no runs', async () => {
    const { workflowService } = temporal.client;
    const namespace = 'bare';
    const retention = { seconds: 86_400 as never };
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
    const client = await connectClient({ ...temporal.settings, namespace }, {});
    try {
      const runs = await waitFor('the namespace', () => listRuns(client).catch(() => undefined));
      assert.deepEqual(runs, []);
    } finally {
      await client.connection.close();
    }
  });

  test('a run that Temporal has forgotten goes on with the configuration in its store', async () => {
    const storage = { kind: 'directory', path: join(folder, 'store') } as const;
    const configuration = testConfiguration({ storage });
    await putJson(openStore(storage), objectKeys.runConfiguration('forgotten'), configuration);
    const place = join(folder, 'place.json');
    const { address } = temporal.settings;
    const options = { run: 'forgotten', address, namespace: undefined, config: place, set: [], follow: false };
    writeFileSync(place, JSON.stringify({ ...configuration, storage: { ...storage, path: join(folder, 'empty') } }));
    await assert.rejects(resume(options), /knows no run forgotten \(any more\), and runs\/forgotten\/.*is not in/s);
    writeFileSync(place, JSON.stringify({ ...configuration, seed: 5 }));
    const { code, stdout, stderr } = await tempehFlow(
      ['resume', 'forgotten', '--address', address, '--config', place],
      { TEMPEH_PAYLOAD_KEYS_FILE: file },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /has forgotten forgotten: .*\n.*Changed settings:\n.*seed.*\n(.*\n)*forgotten goes on/);
    assert.equal((await configurationOf(temporal.client, 'forgotten')).seed, 5);
    await temporal.client.workflow.getHandle('forgotten').terminate();
  });
});
