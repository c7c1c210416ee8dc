import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startMiniatureHost } from '../../miniature/host/host.js';
import { startTemporal } from '../../infra/services/index.js';
import { connectClient, RunError } from '../../client/connection/client.js';
import { runDataWorker } from '../../workers/dataWorker.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { startRun } from '../../client/runs/runs.js';
import { openStore } from '../../storage/openStore.js';
import { putJson } from '../activities/support/store.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { diskQueue } from '../../workers/ownDirectory/diskQueue.js';
import { smallDisk } from '../support/smallDisk.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function freshDirectory(): string {
  return temporaryFolder();
}

/** Payloads as text. */
function textOf(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}

test('a data worker waits for Temporal, works, outlives a restart of it, and stops in order', async () => {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const settings = { address, namespace: 'default' };
  const unreachable = (error: unknown) => error instanceof RunError && error.reason === 'unreachable';
  await assert.rejects(connectClient(settings), unreachable);

  const password = 'a secret that is wrong';
  const host = await startMiniatureHost({ directory: freshDirectory(), username: 'me', password: 'the right one' });
  const lines: string[] = [];
  const stop = new AbortController();
  const directory = freshDirectory();
  const stores = freshDirectory();
  let ready = false;
  const worker = runDataWorker({
    temporal: settings,
    directory,
    environment: {
      TEMPEH_HOST: host.address,
      TEMPEH_USERNAME: 'me',
      TEMPEH_PASSWORD: password,
      TEMPEH_FOLDERS: stores,
    },
    signal: stop.signal,
    writeLog: (line) => void lines.push(line),
    onReady: () => (ready = true),
  });
  await waitFor('the worker to say why it waits', async () => {
    return lines.some((line) => line.includes(`Temporal does not answer at ${address}`)) || undefined;
  });
  const folder = freshDirectory();
  const ports = { port, uiPort: 0 };
  let server = await startTemporal({ directory: folder, ...ports, modest: true });
  const client = await connectClient(settings);
  try {
    await waitFor('the worker', async () => ready || undefined);
    const second = runDataWorker({ temporal: settings, directory, writeLog: () => {} });
    await assert.rejects(second, /is the folder of another data worker that runs: process \d+ on /);
    const store = { kind: 'directory', path: join(stores, 'packed') } as const;
    const packed = { key: 'images/a/b/1.tar', size: 10, sha256: '0'.repeat(64) };
    const id = { subject: 'a', sequence: 'b', frame: '1' };
    const splits = {
      train: [{ id, images: packed, calibrations: [packed], scan: null, registration: null }],
      validation: [],
      test: [],
    };
    const stored = { version: 1, name: 'heads', storedResizeFactor: 4, imageExtension: 'png' };
    const index = { ...stored, splits, unusable: [], vertexCount: 5, template: packed, vertexMasks: packed };
    await putJson(openStore(store), 'datasets/heads/dataset.json', index);
    const configuration = testConfiguration({ storage: store });
    const prepare = async (run: string) => {
      await startRun(client, { run, configuration, steps: ['dataset'] });
      return client.workflow.getHandle(`${run}/dataset`).result() as Promise<unknown>;
    };
    const summary = {
      name: 'heads',
      frames: { train: 1, validation: 0, test: 0 },
      unusable: 0,
      vertexCount: 5,
      bytes: 10,
    };
    assert.deepEqual(await prepare('before'), summary);

    await server.stop();
    server = await startTemporal({ directory: folder, ...ports, modest: true });
    assert.equal(server.address, address);
    assert.deepEqual(await prepare('after'), summary);

    // Nothing is packed in this store: the worker goes for the published data, and is refused.
    const source = { kind: 'bundles' as const, host: host.address, bundles: ['template'] };
    const { dataset } = configuration;
    const empty = testConfiguration({
      storage: { kind: 'directory', path: join(stores, 'empty') },
      dataset: {
        ...dataset,
        source,
        layout: {
          ...dataset.layout,
          template: 'template/sampling_template.obj',
          vertexMasks: 'template/vertex_masks2.npz',
        },
      },
    });
    await startRun(client, { run: 'refused', configuration: empty, steps: ['dataset'] });
    await assert.rejects(client.workflow.getHandle('refused/dataset').result());
    const { failure } = await describeRun(client, 'refused');
    assert.match(failure ?? '', /does not accept|refused|wrong/i);
    const history = await client.workflow.getHandle('refused/dataset').fetchHistory();
    assert.ok(!JSON.stringify(history, textOf).includes(password), 'the history tells the password');
  } finally {
    stop.abort();
    await worker;
    await client.connection.close();
    await server.stop();
    await host.close();
  }
  assert.ok(!lines.join('').includes(password), 'the log tells the password');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(events.every(({ time, level, worker, message }) => time && level && worker === 'data' && message));
  assert.equal(events.filter(({ message }) => String(message).startsWith('Temporal does not answer')).length, 1);
  assert.equal(events.at(-1)?.['message'], 'stopped');
  const ownQueue = `tempeh-data/${readFileSync(join(directory, 'data-worker-id'), 'utf8')}`;
  assert.ok(lines.some((line) => line.includes(`ready on tempeh-data, tempeh-evaluate, ${ownQueue} of`)));
});

const disk = await smallDisk('64k');
test('a data worker whose disk is full says so, and goes on when there is room', { skip: disk === null }, async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  const temporal = { address: `127.0.0.1:${await freePort()}`, namespace: 'default' };
  const directory = join(disk!.directory, 'worker');
  const writeLog = (line: string): void => void lines.push(line);
  const worker = runDataWorker({ temporal, directory, signal: stop.signal, writeLog });
  const said = (words: RegExp) =>
    waitFor(String(words), async () => lines.some((line) => words.test(line)) || undefined);
  await said(/takes no tasks: Nothing can be written to .*worker: ENOSPC/);
  disk!.resize('5m');
  await said(/Temporal does not answer/);
  stop.abort();
  await worker;
});

test('the queue of a disk is the same after a restart; a name that was cut off is none', async () => {
  const directory = freshDirectory();
  writeFileSync(join(directory, 'data-worker-id'), '');
  const queue = await diskQueue('data', directory);
  assert.match(queue, /^data\/[0-9a-f-]{36}$/, 'two workers with an empty name would take each other’s tasks');
  assert.equal(await diskQueue('data', directory), queue);
});

test('a worker that is told to stop while it waits for Temporal ends at once; a wrong table of hosts is named before', async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 500);
  const startedAt = Date.now();
  await runDataWorker({
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
    directory: freshDirectory(),
    environment: { TEMPEH_HOSTS_FILE: '/nowhere/hosts.yaml' },
    signal: stop.signal,
    writeLog: (line) => void lines.push(line),
  });
  assert.ok(Date.now() - startedAt < 5000);
  assert.match(lines.join('\n'), /\/nowhere\/hosts\.yaml that TEMPEH_HOSTS_FILE names cannot be used: ENOENT/);
});
