import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { requestFile } from '../../../datasets/fetch/host/hostRequest.js';

const credentials = { username: 'me', password: 'secret', inClear: true };
const seen: string[] = [];
const host = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => response.end(`${request.headers.host} got ${body}`));
}).listen(0, '127.0.0.1');
await new Promise((listening) => host.once('listening', listening));
const hostPort = (host.address() as AddressInfo).port;

/** Forwards everything to the host above, whatever its name; refuses tunnels. */
const proxy = createServer((request: IncomingMessage, response) => {
  seen.push(`${request.method} ${request.url}`);
  const { method, headers } = request;
  const onward = httpRequest({ port: hostPort, host: '127.0.0.1', method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  request.pipe(onward);
}).listen(0, '127.0.0.1');
proxy.on('connect', (request, socket) => {
  seen.push(`CONNECT ${request.url}`);
  socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
});
await new Promise((listening) => proxy.once('listening', listening));
after(() => {
  for (const server of [host, proxy]) server.closeAllConnections();
  for (const server of [host, proxy]) server.close();
});
const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'])
  delete process.env[name];
process.env['http_proxy'] = address;
process.env['https_proxy'] = address;

async function ask(url: string): Promise<string> {
  const answer = await requestFile(url, 'a/b', credentials, {}, AbortSignal.timeout(5000));
  let text = String(answer.status);
  for await (const chunk of answer.body) text += ` ${Buffer.from(chunk).toString()}`;
  return text;
}

test('a host is asked through the proxy that the environment names; this machine never is, nor what NO_PROXY names', async () => {
  assert.match(await ask('http://data.example/download.php'), /^200 data\.example got username=me&password=secret/);
  assert.match(seen.join(), /^POST http:\/\/data\.example\/download\.php\?domain=tempeh/);
  seen.length = 0;
  assert.match(await ask(`http://127.0.0.1:${hostPort}/download.php`), /^200 127\.0\.0\.1/);
  assert.match(await ask(`http://localhost:${hostPort}/download.php`), /^200 localhost/);
  process.env['NO_PROXY'] = 'data.invalid';
  await assert.rejects(ask('http://data.invalid/download.php'), { name: 'ConnectionFailed' });
  assert.deepEqual(seen, []);
});

test('through TLS the proxy learns the host’s name, and no credentials', async () => {
  const answer = await ask('https://data.example/download.php').catch((error: unknown) => String(error));
  assert.match(answer, /407|ConnectionFailed/);
  assert.deepEqual(seen, ['CONNECT data.example:443']);
});
