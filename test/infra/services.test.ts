import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Connection } from '@temporalio/client';
import { isPortFree, type ObjectStoreService, startObjectStore, startTemporal } from '../../infra/services/index.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

function clientOf(test: TestContext, store: ObjectStoreService): S3Client {
  const { endpoint, region, credentials } = store;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  test.after(() => client.destroy());
  return client;
}

/** Starts both services in a process of their own and tells its process, their process groups and ports. */
async function startHost(test: TestContext, directory: string) {
  const program = fileURLToPath(new URL('serviceHost.js', import.meta.url));
  // In a process group of its own, as a shell starts a command.
  const host = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  test.after(() => host.kill('SIGKILL'));
  const lines = createInterface({ input: host.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  lines.close();
  return { host, ...(JSON.parse(line) as { groups: number[]; ports: number[] }) };
}

/** Processes of these groups that still run. */
function membersOf(groups: readonly number[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state !== 'Z' && groups.includes(Number(group));
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function waitUntilGone(groups: readonly number[], seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (membersOf(groups).length > 0 && Date.now() < deadline) await sleep(50);
  assert.deepEqual(membersOf(groups), [], `processes that outlived their owner by ${seconds} s`);
}

async function kill(host: ChildProcess): Promise<void> {
  host.kill('SIGKILL');
  await once(host, 'exit');
}

test('a Temporal server keeps what it knows when it is stopped and started again, and leaves nothing running', async (t) => {
  const directory = temporaryFolder();
  const options = { directory, port: 0, uiPort: 0, namespace: 'tempeh-test' };
  const first = await startTemporal(options);
  t.after(() => first.stop());
  const connection = await Connection.connect({ address: first.address });
  const request = { namespace: 'tempeh-test' };
  const { namespaceInfo } = await connection.workflowService.describeNamespace(request);
  const attributes = await connection.operatorService.listSearchAttributes(request);
  await connection.close();
  assert.equal(namespaceInfo?.name, 'tempeh-test');
  for (const name of ['TempehStage', 'TempehStep', 'TempehRun', 'TempehDataset']) {
    assert.ok(name in attributes.customAttributes, `search attribute ${name}`);
  }
  assert.match(await (await fetch(first.uiUrl)).text(), /<html/i);
  assert.equal(statSync(first.logFile).mode & 0o077, 0, 'the log is for its owner alone');

  await first.stop();
  await first.stop();
  await first.ended;
  // The last of the group may still be on its way out of the process table.
  await waitUntilGone([first.pid], 2);
  for (const port of first.ports) assert.ok(await isPortFree(port), `port ${port} is free again`);

  const second = await startTemporal(options);
  t.after(() => second.stop());
  const again = await Connection.connect({ address: second.address });
  const described = await again.workflowService.describeNamespace(request);
  await again.close();
  assert.equal(described.namespaceInfo?.id, namespaceInfo?.id, 'the same namespace, not a new one of its name');
  await second.stop();
});

test('an S3 server has its bucket, keeps objects over a restart, and refuses strangers', async (t) => {
  const directory = temporaryFolder();
  const options = { directory, port: 0, bucket: 'tempeh' };
  const first = await startObjectStore(options);
  t.after(() => first.stop());
  await clientOf(t, first).send(
    new PutObjectCommand({ Bucket: 'tempeh', Key: 'runs/a/state.json', Body: '{"step":7}' }),
  );
  const stranger = clientOf(t, { ...first, credentials: { ...first.credentials, secretAccessKey: 'guess' } });
  await assert.rejects(stranger.send(new GetObjectCommand({ Bucket: 'tempeh', Key: 'runs/a/state.json' })), {
    name: 'SignatureDoesNotMatch',
  });
  assert.equal(statSync(first.credentialsFile).mode & 0o777, 0o600);
  const commands = membersOf([first.pid]).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  assert.ok(commands.some((command) => command.includes('versitygw')));
  for (const command of commands) {
    assert.ok(!command.includes(first.credentials.secretAccessKey), 'the secret is on no command line');
  }
  await first.stop();
  assert.ok(!readFileSync(first.logFile, 'utf8').includes(first.credentials.secretAccessKey), 'nor in the log');

  const second = await startObjectStore(options);
  t.after(() => second.stop());
  assert.deepEqual(second.credentials, first.credentials);
  const object = await clientOf(t, second).send(new GetObjectCommand({ Bucket: 'tempeh', Key: 'runs/a/state.json' }));
  assert.equal(await object.Body?.transformToString(), '{"step":7}');
});

test('a port in use is left to its owner, and another one taken', async (t) => {
  const occupant = net.createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(occupant, 'listening');
  t.after(() => occupant.close());
  const { port } = occupant.address() as net.AddressInfo;
  const store = await startObjectStore({ directory: temporaryFolder(), port, bucket: 'tempeh' });
  t.after(() => store.stop());
  assert.notEqual(store.ports[0], port);
  await clientOf(t, store).send(new PutObjectCommand({ Bucket: 'tempeh', Key: 'a', Body: 'b' }));
  const [peer] = await Promise.all([
    once(occupant, 'connection') as Promise<[net.Socket]>,
    once(net.connect(port, '127.0.0.1'), 'connect'),
  ]);
  peer[0].destroy();
});

test('servers that start at once on the same free port all work, each with its own data', async (t) => {
  const probe = net.createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((closed) => probe.close(closed));
  // One that found the other's server healthy, and died itself, was refused by it: "No user exists with the provided key".
  const stores = await Promise.all(
    ['first', 'second', 'third'].map((bucket) => startObjectStore({ directory: temporaryFolder(), port, bucket })),
  );
  t.after(() => Promise.all(stores.map((store) => store.stop())));
  assert.equal(new Set(stores.map(({ ports }) => ports[0])).size, 3);
  for (const store of stores) {
    await clientOf(t, store).send(new PutObjectCommand({ Bucket: store.bucket, Key: 'k', Body: 'v' }));
  }
});

test('SIGKILL of the process that started services takes them along', async (t) => {
  const directory = temporaryFolder();
  const { host, groups, ports } = await startHost(t, directory);
  assert.ok(membersOf(groups).length >= 4, 'a guardian and a server each');
  await kill(host);
  await waitUntilGone(groups, 15);
  for (const port of ports) assert.ok(await isPortFree(port), `port ${port} is free again`);
});

test('Ctrl-C reaches the process that started services, not the services: they are stopped in order', async (t) => {
  const { host, groups } = await startHost(t, temporaryFolder());
  // What a terminal does: SIGINT to the whole process group in the foreground. This host notes it and goes on.
  assert.ok(host.pid);
  process.kill(-host.pid, 'SIGINT');
  await sleep(300);
  assert.equal(host.exitCode ?? host.signalCode, null);
  assert.ok(membersOf(groups).length >= 4, 'a guardian and a server each still run');
  await kill(host);
  await waitUntilGone(groups, 15);
});

test('a service in a directory is found by a second start, and outlives its stop', async (t) => {
  const directory = temporaryFolder();
  const { host, groups, ports } = await startHost(t, directory);
  const found = await startObjectStore({ directory: path.join(directory, 'objects'), port: 0, bucket: 'tempeh' });
  assert.equal(found.reused, true);
  assert.deepEqual(found.ports, ports.slice(2));
  await found.stop();
  assert.ok(membersOf(groups).length >= 4, 'it belongs to the process that started it');

  // Its owner is gone and it is still ending: a start waits for that, then opens the same data itself.
  await kill(host);
  const own = await startObjectStore({ directory: path.join(directory, 'objects'), port: 0, bucket: 'tempeh' });
  t.after(() => own.stop());
  assert.equal(own.reused, false);
  await found.ended;
  await waitUntilGone(groups, 15);
});

test('what a crashed machine left in the directory does not stop a start, nor is a stranger killed for it', async (t) => {
  const directory = temporaryFolder();
  const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => stranger.kill('SIGKILL'));
  // A process that got the number of the service of last time.
  const state = { service: { pid: stranger.pid, startTime: '1' }, owner: { pid: 1, startTime: '1' }, ports: [9000] };
  writeFileSync(path.join(directory, 'service.json'), JSON.stringify(state));
  const store = await startObjectStore({ directory, port: 0, bucket: 'tempeh' });
  t.after(() => store.stop());
  assert.equal(store.reused, false);
  assert.equal(stranger.exitCode ?? stranger.signalCode, null);
  await store.stop();
  assert.ok(!existsSync(path.join(directory, 'service.json')), 'nothing is left to be mistaken');
});

test('a server that ends while starting is reported with its log, at once', async () => {
  const directory = temporaryFolder();
  writeFileSync(path.join(directory, 'temporal.sqlite'), 'not a database, but long enough to look at'.repeat(100));
  const before = Date.now();
  await assert.rejects(startTemporal({ directory, port: 0, uiPort: 0 }), (error: Error) => {
    assert.match(error.message, /temporal on port \d+, port \d+ ended with 1 while starting/);
    assert.match(error.message, /not a database/);
    return true;
  });
  assert.ok(Date.now() - before < 20_000);
});
