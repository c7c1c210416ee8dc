import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { requestFile } from '../../../datasets/fetch/host/hostRequest.js';
import { selfSigned } from '../../support/servers/selfSigned.js';
import { credentials, root, withHost } from './support/fetching.js';

const certificate = selfSigned();

async function listening<T>(server: Server, use: (port: number) => Promise<T>): Promise<T> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test('a certificate that nothing trusts is refused at once, before the password is sent', async () => {
  let requests = 0;
  const server = createTlsServer(certificate, (request, response) => {
    requests++;
    response.end();
  });
  await listening(server, (port) =>
    withHost({}, async ({ fetchIt }) => {
      const host = `https://127.0.0.1:${port}/download.php`;
      // Waiting would not help: that would take twelve times as long as the test may.
      const patient = { first: 30, longest: 30, attempts: 12, stall: 60 };
      await assert.rejects(fetchIt({ host, backOff: patient }), {
        name: 'HostUntrusted',
        message: /127\.0\.0\.1.*self[- ]signed.*NODE_EXTRA_CA_CERTS/,
      });
    }),
  );
  assert.equal(requests, 0);
});

test('a redirection from https to http is not followed; one to https is, without the password', async () => {
  const plain = createServer((_, response) => response.end('PK'));
  let asked = 0;
  plain.on('request', () => asked++);
  const bodies: string[] = [];
  await listening(plain, (plainPort) => {
    const server = createTlsServer(certificate, (request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        bodies.push(body);
        const there = `https://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere`;
        const location = request.url === '/elsewhere' ? `http://127.0.0.1:${plainPort}/` : there;
        response.writeHead(302, { Location: location }).end();
      });
    });
    return listening(server, async (port) => {
      const authority = join(root, 'authority.pem');
      await writeFile(authority, certificate.cert);
      // The authorities of a process are fixed when it starts.
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [fileURLToPath(new URL('support/askProcess.js', import.meta.url)), `https://127.0.0.1:${port}/download.php`],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: authority } },
      );
      assert.match(stdout, /^HostUntrusted: .*from https to http:\/\/127\.0\.0\.1:\d+/);
    });
  });
  assert.equal(asked, 0);
  assert.deepEqual(bodies, ['username=a&password=b', '']);
});

test('the password goes to another machine by plain http only where a setting says so', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.on('data', (chunk) => bodies.push(String(chunk)));
    request.on('end', () => response.end());
  });
  await listening(server, async (port) => {
    const { signal } = new AbortController();
    const ask = (host: string, inClear?: boolean) =>
      requestFile(
        `http://${host}:${port}/`,
        'x',
        { ...credentials, ...(inClear === undefined ? {} : { inClear }) },
        {},
        signal,
      );
    // All of them are this machine; but of a network's address, that cannot be known.
    const elsewhere = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    for (const host of [
      '0.0.0.0',
      'localhost.example.org',
      '127.0.0.1.example.org',
      ...(elsewhere ? [elsewhere] : []),
    ]) {
      for (const inClear of [undefined, false]) {
        await assert.rejects(ask(host, inClear), {
          name: 'HostUntrusted',
          message: /plain http.*in clear.*passwordInClear: true \(--password-in-clear\)/,
        });
      }
    }
    assert.deepEqual(bodies, []);
    (await ask('127.0.0.1')).cancel();
    (await ask('localhost')).cancel();
    (await ask('0.0.0.0', true)).cancel();
    assert.equal(bodies.length, 3);
  });
});
