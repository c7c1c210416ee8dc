import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import { type TestContext, test } from 'node:test';
import { Connection } from '@temporalio/client';
import { startTemporal, type TemporalService } from '../../infra/services/index.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** As a browser or any other program would: with the headers that a page decides about, or none. */
function ask(
  place: { readonly host: string; readonly port: number },
  path: string,
  options: { readonly method?: string; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string } = {},
): Promise<Answer | null> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve) => {
    const request = http.request({ ...place, path, method, headers, agent: false, timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', () => resolve(null));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    // No HTTP, or nobody there.
    request.on('error', () => resolve(null));
    request.on('timeout', () => request.destroy());
    request.end(body);
  });
}

/** Everything that the processes of a group listen on. */
function listeners(group: number): { host: string; port: number }[] {
  const sockets = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      if (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2] !== String(group)) continue;
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        if (inode !== undefined) sockets.add(inode);
      }
    } catch {
      // It has ended, or closed the descriptor.
    }
  }
  const listening = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === listening && sockets.has(fields[9] ?? ''))
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      const bytes = (address.match(/../g) ?? []).reverse().map((hex) => parseInt(hex, 16));
      return { host: bytes.join('.'), port: parseInt(port, 16) };
    });
}

/** gRPC's code. */
const notFound = 5;

const startPath = (id: string) => `/api/v1/namespaces/default/workflows/${id}`;
const startBody = JSON.stringify({ workflowType: { name: 'fullTraining' }, taskQueue: { name: 'tempeh-data' } });

async function start(
  test: TestContext,
): Promise<{ server: TemporalService; exists: (id: string) => Promise<boolean> }> {
  const server = await startTemporal({ directory: temporaryFolder(), port: 0, uiPort: 0 });
  test.after(() => server.stop());
  const connection = await Connection.connect({ address: server.address });
  test.after(() => connection.close());
  const exists = async (workflowId: string): Promise<boolean> => {
    try {
      await connection.workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } });
      return true;
    } catch (error) {
      assert.equal((error as { code?: number }).code, notFound);
      return false;
    }
  };
  return { server, exists };
}

test('no web page can start a workflow on the embedded Temporal, by whatever port, name or method', async (t) => {
  const { server, exists } = await start(t);
  const uiPort = Number(new URL(server.uiUrl).port);
  const places = listeners(server.pid);
  assert.ok(places.length >= 4, 'the server listens for its clients, its page, its API, itself');
  // A page can try every port of the addresses that it can guess; what lies elsewhere it does not find.
  const guessable = [...places.filter(({ host }) => host === '127.0.0.1'), { host: '127.0.0.1', port: uiPort }];
  const hidden = places.filter(({ host }) => host !== '127.0.0.1');
  assert.equal(hidden.length, 1, 'the page’s own server');
  for (const place of guessable) {
    const own = `127.0.0.1:${place.port}`;
    const askers: http.OutgoingHttpHeaders[] = [
      { Host: own, Origin: 'https://evil.example', 'Content-Type': 'text/plain' },
      { Host: own, Origin: 'null', 'Content-Type': 'text/plain' },
      { Host: own, 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/x-www-form-urlencoded' },
      // The site's name points here now.
      { Host: `evil.example:${place.port}`, Origin: `http://evil.example:${place.port}` },
      { Host: `evil.example:${place.port}` },
      { Host: own },
    ];
    for (const [index, headers] of askers.entries()) {
      const id = `evil-${place.port}-${index}`;
      await ask(place, startPath(id), { method: 'POST', headers, body: startBody });
      assert.equal(await exists(id), false, `${own} ${JSON.stringify(headers)}`);
      // What a page of a rebound name would do first, to get the token that changes need.
      const looked = await ask(place, '/api/v1/namespaces/default', {
        headers: { Host: `evil.example:${place.port}` },
      });
      assert.ok(looked === null || looked.status !== 200, `${own} answers under a foreign name`);
      assert.equal(looked?.headers['set-cookie'], undefined);
    }
  }
});

test('the page itself works for who opens it, links from elsewhere lead to it, and it may change things', async (t) => {
  const { server, exists } = await start(t);
  const { port, host } = new URL(server.uiUrl);
  const place = { host: '127.0.0.1', port: Number(port) };
  const visit = {
    Host: host,
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
  };
  const page = await ask(place, '/', { headers: visit });
  assert.match(page?.body ?? '', /<html/i);
  const framed = await ask(place, '/', { headers: { ...visit, 'Sec-Fetch-Dest': 'iframe' } });
  assert.equal(framed?.status, 403);
  const byName = await ask(place, '/api/v1/namespaces/default', { headers: { Host: `localhost:${port}` } });
  assert.equal(byName?.status, 200);

  const own = { Host: host, 'Sec-Fetch-Site': 'same-origin' };
  const looked = await ask(place, '/api/v1/namespaces/default', { headers: own });
  const cookie = String(looked?.headers['set-cookie']?.[0]).split(';')[0]!;
  const token = cookie.split('=')[1];
  const headers = {
    ...own,
    Origin: `http://${host}`,
    Cookie: cookie,
    'X-CSRF-Token': token,
    'Content-Type': 'application/json',
  };
  const began = await ask(place, startPath('by-hand'), { method: 'POST', headers, body: startBody });
  assert.equal(began?.status, 200, began?.body);
  assert.equal(await exists('by-hand'), true);
});
