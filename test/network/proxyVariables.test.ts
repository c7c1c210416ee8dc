import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFor, ProxyUnusable } from '../../network/proxyVariables.js';

/** Which proxy a request to an address goes through, by the environment. */
function proxyOf(address: string, environment: Readonly<Record<string, string>>): string | null {
  const { protocol, hostname, port } = new URL(address);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  return proxyFor([protocol.slice(0, -1)], hostname, number, environment)?.url.href ?? null;
}

const proxy = 'http://proxy.lan:3128/';

test('the variable of the protocol counts, lower case first, then the one for all', () => {
  const store = 'https://s3.example.org';
  assert.equal(proxyOf(store, {}), null);
  assert.equal(proxyOf(store, { HTTPS_PROXY: proxy }), proxy);
  assert.equal(proxyOf(store, { HTTP_PROXY: proxy }), null);
  assert.equal(proxyOf('http://minio.lan:9000', { HTTP_PROXY: proxy }), proxy);
  assert.equal(proxyOf(store, { ALL_PROXY: proxy }), proxy);
  assert.equal(proxyOf(store, { HTTPS_PROXY: 'http://other:1', https_proxy: proxy }), proxy);
  assert.equal(proxyOf(store, { HTTPS_PROXY: 'proxy.lan:3128' }), proxy);
  assert.equal(proxyOf(store, { HTTPS_PROXY: '' }), null);
});

test('this machine, and where clouds hand out credentials, are never asked through a proxy', () => {
  const all = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy, NO_PROXY: 'elsewhere' };
  for (const host of [
    '127.0.0.1',
    '127.8.9.1',
    'localhost',
    'a.localhost',
    '[::1]',
    '169.254.170.2',
    '169.254.169.254',
  ]) {
    assert.equal(proxyOf(`http://${host}:9000`, all), null, host);
  }
  assert.equal(proxyOf('http://128.0.0.1:9000', all), proxy);
  assert.equal(proxyOf('http://notlocalhost', all), proxy);
});

test('Temporal is reached by the variable of gRPC, else by those of the web; no form of its own address is proxied', () => {
  const found = (host: string, environment: Record<string, string>): string | undefined =>
    proxyFor(['grpc', 'https', 'http'], host, 7233, environment)?.variable;
  assert.equal(found('temporal.lan', { http_proxy: proxy, GRPC_PROXY: proxy }), 'GRPC_PROXY');
  assert.equal(found('temporal.lan', { http_proxy: proxy, HTTPS_PROXY: proxy }), 'HTTPS_PROXY');
  assert.equal(found('temporal.lan', { ALL_PROXY: proxy }), 'ALL_PROXY');
  for (const host of ['[::1]', '::ffff:127.0.0.1', '0.0.0.0', '::', 'LOCALHOST', 'localhost.']) {
    assert.equal(found(host, { http_proxy: proxy }), undefined, host);
  }
});

test('NO_PROXY names hosts with all below them, ports, addresses, ranges of addresses, or everything', () => {
  const goesStraight = (address: string, NO_PROXY: string): boolean =>
    proxyOf(address, { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY }) === null;
  for (const [entry, straight, proxied] of [
    ['s3.lan', ['http://s3.lan', 'http://bucket.s3.lan:9000', 'http://S3.LAN'], ['http://us3.lan', 'http://lan']],
    ['.lan', ['http://s3.lan', 'http://a.b.lan'], ['http://s3.plan']],
    ['*.lan', ['http://s3.lan'], ['http://s3.plan']],
    ['s3.lan:9000', ['http://s3.lan:9000'], ['http://s3.lan:9001']],
    ['10.1.2.3', ['http://10.1.2.3:9000'], ['http://10.1.2.4', 'http://110.1.2.3']],
    ['10.0.0.0/8', ['http://10.200.3.4'], ['http://11.0.0.1', 'http://ten.example']],
    ['fd00::/8', ['http://[fd12::1]:9000'], ['http://[fe00::1]', 'http://10.0.0.1']],
    ['a, b.example  c', ['http://a', 'http://b.example', 'https://c'], ['http://d']],
    ['*', ['http://anything.example'], []],
  ] as const) {
    for (const address of straight) assert.ok(goesStraight(address, entry), `${address} with ${entry}`);
    for (const address of proxied) assert.ok(!goesStraight(address, entry), `${address} with ${entry}`);
  }
});

test('a variable that names no proxy is reported by its name, without its value', () => {
  for (const HTTPS_PROXY of ['socks5://user:secret@proxy.lan', 'http://', 'http://user:secret@:3128']) {
    assert.throws(
      () => proxyOf('https://s3.example.org', { HTTPS_PROXY }),
      (error: unknown) => {
        assert.ok(error instanceof ProxyUnusable);
        assert.match(error.message, /^HTTPS_PROXY does not name a proxy: expected http:/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  }
});
