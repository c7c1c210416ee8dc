import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as sendRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { openStore } from '../../storage/openStore.js';
import { ChecksumMismatch, StoreUnavailable, StoreUnsuitable, type ObjectStore } from '../../storage/types.js';
import { forwardProxy } from '../support/servers/forwardProxy.js';
import { startTestS3 } from '../support/servers/s3.js';
import { selfSigned } from '../support/servers/selfSigned.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** A real S3 server, reached by TLS that nobody knows, and through proxies. */
const s3 = await startTestS3();
const s3Port = Number(new URL(s3.configuration.endpoint!).port);
const folder = temporaryFolder();
const certificate = selfSigned('secure.store.test');
const bundle = join(folder, 'authorities.pem');
await writeFile(bundle, certificate.cert);
const front: Server = createServer(certificate, (request, response) => {
  const { method, url: path, headers } = request;
  const upstream = sendRequest({ host: '127.0.0.1', port: s3Port, method, path, headers }, (answer) => {
    // The server here closes each connection; others do not.
    const { connection: _, ...kept } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, kept);
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
});
front.listen(0, '127.0.0.1');
await once(front, 'listening');
const tlsPort = (front.address() as AddressInfo).port;
after(async () => {
  front.closeAllConnections();
  front.close();
  await s3.stop();
});

const variables = ['AWS_CA_BUNDLE', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const unset = (): void => variables.forEach((name) => delete process.env[name]);
unset();
afterEach(unset);

let prefixes = 0;
/** An empty store of its own, in an environment. */
function open(endpoint: string, environment: Readonly<Record<string, string>>): ObjectStore {
  unset();
  Object.assign(process.env, environment);
  return openStore({ ...s3.configuration, endpoint, prefix: `${++prefixes}/` });
}

/** Small and large objects, whole and in parts, and one that is refused, arrive as they should. */
async function assertWorks(store: ObjectStore): Promise<void> {
  const body = randomBytes(3 * 2 ** 20);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const { etag } = await store.put('large', body, { sha256, ifAbsent: true });
  assert.equal((await store.head('large'))?.etag, etag);
  assert.deepEqual(Buffer.from((await store.get('large')).body), body);
  await assert.rejects(store.put('wrong', body, { sha256: '0'.repeat(64) }), ChecksumMismatch);
  await Promise.all(Array.from({ length: 8 }, (_, i) => store.put(`small/${i}`, Buffer.from(`${i}`))));
  await store.delete(['large']);
  assert.equal(await store.head('large'), null);
}

test('a store whose authority nobody knows is used with AWS_CA_BUNDLE, which the error names', async () => {
  const endpoint = `https://127.0.0.1:${tlsPort}`;
  await assert.rejects(open(endpoint, {}).head('key'), (error: unknown) => {
    assert.ok(error instanceof StoreUnsuitable, String(error));
    assert.match(error.message, /AWS_CA_BUNDLE=FILE/);
    return true;
  });
  await assertWorks(open(endpoint, { AWS_CA_BUNDLE: bundle }));
});

test('a bundle that is missing, or no bundle, and an address without TLS are reported at the first request', async () => {
  const none = join(folder, 'none.pem');
  const empty = join(folder, 'empty.pem');
  await writeFile(empty, 'no certificate\n');
  const endpoint = `https://127.0.0.1:${tlsPort}`;
  const told = (error: unknown, pattern: RegExp): boolean => {
    assert.ok(error instanceof StoreUnsuitable, String(error));
    assert.match(error.message, pattern);
    return true;
  };
  await assert.rejects(open(endpoint, { AWS_CA_BUNDLE: none }).head('key'), (error) =>
    told(error, /AWS_CA_BUNDLE names .*none\.pem, which cannot be read \(ENOENT\)/),
  );
  await assert.rejects(open(endpoint, { AWS_CA_BUNDLE: empty }).head('key'), (error) =>
    told(error, /empty\.pem, which holds no certificate/),
  );
  await assert.rejects(open(`https://127.0.0.1:${s3Port}`, {}).head('key'), (error) =>
    told(error, /does not speak TLS there: check the port/),
  );
});

test('a mandatory proxy is heeded, with TLS through it and without; NO_PROXY and this machine go straight', async () => {
  const hosts = (host: string): number => (host === 'store.test' ? s3Port : tlsPort);
  const proxy = await forwardProxy(hosts, 'me:secret');
  try {
    // No such names: only the proxy knows where they are.
    await assertWorks(open('http://store.test:9000', { HTTP_PROXY: proxy.url }));
    assert.ok(proxy.asked.length > 10 && proxy.asked.every((line) => line.includes(' http://store.test:9000/')));
    const plain = proxy.asked.length;
    const secure = open('https://secure.store.test', { HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: bundle });
    await assertWorks(secure);
    assert.deepEqual(new Set(proxy.asked.slice(plain)), new Set(['CONNECT secure.store.test:443']));
    const tunnels = proxy.asked.length;
    for (let time = 0; time < 5; time++) await secure.get('small/1');
    assert.ok(proxy.asked.length - tunnels <= 1, 'connections are used again');
    const other = open('https://other.store.test', { HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: bundle });
    await assert.rejects(other.head('key'), /certificate is for another name: correct storage\.endpoint/);
    const asked = proxy.asked.length;
    const everywhere = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    await assertWorks(open(`http://127.0.0.1:${s3Port}`, everywhere));
    await assertWorks(open(`http://localhost:${s3Port}`, everywhere));
    await assertWorks(open(`https://127.0.0.1:${tlsPort}`, { ...everywhere, AWS_CA_BUNDLE: bundle }));
    await assert.rejects(
      open('http://store.test', { ...everywhere, NO_PROXY: '.test' }).head('key'),
      /ENOTFOUND|EAI_AGAIN/,
    );
    assert.equal(proxy.asked.length, asked, String(proxy.asked.slice(asked)));
  } finally {
    await proxy.close();
  }
});

test('a proxy that wants a password, or is not there, is named as the cause, without its password', async () => {
  const proxy = await forwardProxy(() => s3Port, 'me:secret');
  const { host } = new URL(proxy.url);
  try {
    for (const protocol of ['http', 'https']) {
      const variable = `${protocol.toUpperCase()}_PROXY`;
      const store = open(`${protocol}://store.test`, { [variable]: `http://me:wrong@${host}` });
      await assert.rejects(store.get('key'), (error: unknown) => {
        assert.ok(error instanceof StoreUnsuitable, String(error));
        assert.match(error.message, /proxy wants a user name and a password/);
        return true;
      });
    }
  } finally {
    await proxy.close();
  }
  const store = open('https://store.test', { HTTPS_PROXY: `http://me:secret@${host}` });
  await assert.rejects(store.get('key'), (error: unknown) => {
    assert.ok(error instanceof StoreUnavailable, String(error));
    assert.match(
      error.message,
      new RegExp(`the proxy ${host} \\(HTTPS_PROXY\\) cannot be connected to: .*ECONNREFUSED`),
    );
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
