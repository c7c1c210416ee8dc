import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { startObjectStore, type ObjectStoreService } from '../../infra/services/index.js';
import { s3Client, type S3Configuration } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import { CredentialsExpired, StoreAccessDenied, type ObjectStore, type StoreListener } from '../../storage/types.js';
import { S3Proxy } from '../support/servers/s3Proxy.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** A worker whose credentials are in a file, and a real S3 server whose keys are replaced while it works. */
const directory = temporaryFolder();
const credentialsFile = join(directory, 'credentials');
const bucket = 'tests';
let server: ObjectStoreService = await startObjectStore({ directory: join(directory, 's3'), port: 0, bucket });
const proxy = await S3Proxy.start(() => server.ports[0]!);
const ending = new AbortController();
after(async () => {
  ending.abort();
  await proxy.stop();
  await server.stop();
});
for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) delete process.env[name];
process.env['AWS_SHARED_CREDENTIALS_FILE'] = credentialsFile;

async function writeCredentials(): Promise<void> {
  const { accessKeyId, secretAccessKey } = server.credentials;
  const lines = ['[default]', `aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key = ${secretAccessKey}`];
  await writeFile(credentialsFile, `${lines.join('\n')}\n`);
}

/** The server of another key pair, on the same port, with the same objects. */
async function replaceKeys(): Promise<void> {
  const [port = 0] = server.ports;
  await server.stop();
  await rm(server.credentialsFile);
  server = await startObjectStore({ directory: join(directory, 's3'), port, bucket });
}

let prefixes = 0;
/** A store below a prefix of its own: what was accepted is remembered for each. */
function open(listener?: StoreListener): ObjectStore {
  const configuration: S3Configuration = {
    kind: 's3',
    bucket,
    prefix: `${++prefixes}/`,
    endpoint: proxy.endpoint,
    region: server.region,
    forcePathStyle: true,
    requestChecksums: 'always',
  };
  const sizes = { keysAtOnce: 10, multipartThreshold: 6 * 2 ** 20, partSize: 5 * 2 ** 20 };
  return s3Store(configuration, s3Client(configuration, listener && { signal: ending.signal, ...listener }), sizes);
}

const body = Buffer.from('content');

beforeEach(async () => {
  proxy.treat(null);
  await writeCredentials();
});

test('keys that are replaced while a program runs: every kind of request waits, loudly, and goes on', async () => {
  const warnings: string[] = [];
  const store = open({ warn: (message) => void warnings.push(message) });
  await store.put('runs/a', body);
  await replaceKeys();
  const names: string[] = [];
  const work = Promise.all([
    store.get('runs/a'),
    store.put('runs/b', Buffer.alloc(7 * 2 ** 20, 1)),
    store.download('runs/a', join(directory, 'downloaded')),
    store.head('runs/a'),
    (async () => {
      for await (const { key } of store.list('runs/')) names.push(key);
    })(),
  ]);
  let done = false;
  void work.finally(() => (done = true));
  while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(warnings[0]!, /^s3:\/\/tests\/1\/ refuses the credentials that it accepted before \(\w+\)\. Renew them/);
  assert.equal(done, false);
  await writeCredentials();
  const [{ body: read }] = await work;
  assert.equal(Buffer.from(read).toString(), 'content');
  assert.ok(names.includes('runs/a'));
  assert.equal((await store.head('runs/b'))?.size, 7 * 2 ** 20);
  await store.delete(['runs/a']);
  assert.match(warnings.at(-1)!, /accepts the credentials again/);
  assert.ok(!warnings.join().includes(server.credentials.secretAccessKey));
});

test('a session that expires is waited for, though S3 calls it a bad request (400 ExpiredToken)', async () => {
  const warnings: string[] = [];
  const store = open({ warn: (message) => void warnings.push(message) });
  const { etag } = await store.put('runs/a', body, { ifAbsent: true });
  proxy.treat(() => ({ kind: 'refuse', status: 400, code: 'ExpiredToken' }));
  const put = store.put('runs/a', Buffer.from('next'), { ifMatch: etag });
  while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  proxy.treat(null);
  await put;
  assert.match(warnings[0]!, /\(ExpiredToken\)/);
});

test('credentials that never were accepted are refused at once, also to those who would wait', async () => {
  proxy.treat(() => ({ kind: 'refuse', status: 403, code: 'InvalidAccessKeyId' }));
  const store = open({ warn: assert.fail });
  await assert.rejects(store.get('runs/a'), StoreAccessDenied);
  await assert.rejects(store.head('runs/a'), StoreAccessDenied);
});

test('a permission that is missing is none that will be renewed; one that was there is waited for', async () => {
  const warnings: string[] = [];
  const store = open({ warn: (message) => void warnings.push(message) });
  await store.put('runs/a', body);
  let left = 2;
  proxy.treat(({ method }) => {
    if (method === 'POST') return { kind: 'refuse', status: 403, code: 'AccessDenied' };
    return method === 'PUT' && left-- > 0 ? { kind: 'refuse', status: 403, code: 'AccessDenied' } : null;
  });
  await assert.rejects(store.delete(['runs/a']), StoreAccessDenied);
  assert.deepEqual(warnings, []);
  await store.put('runs/a', body);
  assert.match(warnings[0]!, /\(AccessDenied\)/);
});

test('without waiting, or once told to stop, the error says that the credentials were good', async () => {
  const stopping = new AbortController();
  const prefix = prefixes;
  const store = open({ warn: () => stopping.abort(), signal: stopping.signal });
  await store.put('runs/a', body);
  prefixes = prefix;
  const impatient = open();
  proxy.treat(() => ({ kind: 'refuse', status: 403, code: 'ExpiredToken' }));
  await assert.rejects(store.put('runs/a', body), CredentialsExpired);
  // Of the same process: what it has accepted is known.
  await assert.rejects(impatient.get('runs/a'), CredentialsExpired);
});

test('a request that does not wait has the keys that the file has by now, too: event files are brought on without a restart', async () => {
  const store = open();
  await store.put('runs/a', body);
  await replaceKeys();
  await writeCredentials();
  assert.equal(Buffer.from((await store.get('runs/a')).body).toString(), 'content');
});

test('a process that gives credentials (credential_process) is asked anew when they have been replaced', async (context) => {
  const answer = join(directory, 'process.json');
  const give = async (): Promise<void> => {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = server.credentials;
    await writeFile(answer, JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey }));
  };
  await give();
  const configuration = join(directory, 'config');
  await writeFile(configuration, `[default]\ncredential_process = cat ${answer}\n`);
  process.env['AWS_CONFIG_FILE'] = configuration;
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(directory, 'none');
  context.after(() => {
    delete process.env['AWS_CONFIG_FILE'];
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = credentialsFile;
  });
  const warnings: string[] = [];
  const store = open({ warn: (message) => void warnings.push(message) });
  await store.put('runs/a', body);
  await replaceKeys();
  const reading = store.get('runs/a');
  while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await give();
  assert.equal(Buffer.from((await reading).body).toString(), 'content');
  assert.match(warnings.at(-1)!, /accepts the credentials again/);
});

test('credentials of a container (a pod) are fetched anew with the token that its file has by then', async (context) => {
  const token = join(directory, 'token');
  await writeFile(token, 'first');
  const asked: (string | undefined)[] = [];
  const provider = createServer((request, response) => {
    asked.push(request.headers.authorization);
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = server.credentials;
    // So soon that they are asked for again beside each request.
    const Expiration = new Date(Date.now() + 60_000).toISOString();
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: '', Expiration }));
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
  process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/`;
  process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] = token;
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(directory, 'none');
  context.after(() => {
    provider.close();
    delete process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = credentialsFile;
  });
  const store = open({ warn: assert.fail });
  await store.put('runs/a', body);
  assert.equal(asked[0], 'first');
  await writeFile(token, 'second');
  for (let tries = 0; tries < 50 && asked.at(-1) !== 'second'; tries++) await store.put('runs/a', body);
  assert.equal(asked.at(-1), 'second');
});
