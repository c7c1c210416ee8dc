import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { explainPage } from '../../../datasets/fetch/host/answers.js';
import { fetchBundle, type FetchBundleOptions } from '../../../datasets/fetch/fetchBundle.js';
import { hasControls } from '../../../text/printable.js';
import { quick } from './support/fetching.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const path = 'test_data/paper_test_frames.json';
let folders = 0;

interface Fetched {
  readonly error: Error | null;
  readonly directory: string;
  readonly milliseconds: number;
}

/** What comes of fetching one file from a host that answers so. */
async function fetchFrom(answer: RequestListener, changes: Partial<FetchBundleOptions> = {}): Promise<Fetched> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const directory = join(root, String(folders++));
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}/download.php`;
  const startedAt = performance.now();
  try {
    await fetchBundle({
      host,
      bundle: 'test-data',
      paths: [path],
      directory,
      credentials: { username: 'me', password: 'secret' },
      atOnce: 1,
      backOff: { ...quick, stall: 0.4 },
      ...changes,
    });
    return { error: null, directory, milliseconds: performance.now() - startedAt };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { error, directory, milliseconds: performance.now() - startedAt };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const page = (body: string): RequestListener => {
  return (_request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(body);
};

test('pages that would take for ever to read are read in one pass', () => {
  for (const piece of ['<', '<script', '<script>', '<style a', '</', '<a ', '< >']) {
    const hostile = piece.repeat(Math.ceil(65_000 / piece.length));
    const before = process.cpuUsage();
    explainPage(hostile, 'https://host', 'file');
    // Of the processor: on a busy machine the clock says nothing about the reading.
    assert.ok(process.cpuUsage(before).user < 500_000, piece);
  }
  const kept = '<html><SCRIPT>x="<p>hidden"</SCRIPT><style>p{}</style><p>The file could not be found.</p></html>';
  assert.match(explainPage(kept, 'https://host', 'file').message, /web page: "The file could not be found\."/);
});

test('what a page says is quoted without what would steer a terminal', async () => {
  const { error } = await fetchFrom(page('<p>Please wait\u001b[2J a bit\u0007 \u009b31m\u202eetirw</p>'));
  assert.equal(error?.name, 'UnexpectedAnswer');
  assert.ok(!hasControls(error?.message ?? ''), JSON.stringify(error?.message));
  assert.match(error?.message ?? '', /wait\\u001b\[2J a bit\\u0007 \\u009b31m\\u202eetirw/);
});

test('a redirection to what is no address of the web is reported, and not followed', async () => {
  for (const location of ['file:///etc/passwd', 'http://[', 'javascript:x', 'data:,x', 'http://\u009b2J']) {
    const { error } = await fetchFrom((_request, response) => response.writeHead(302, { location }).end());
    assert.equal(error?.name, 'UnexpectedAnswer', location);
    assert.match(error?.message ?? '', /redirects the request for .* which is not an http\(s\) address: not followed/);
    assert.ok(!hasControls(error?.message ?? ''));
  }
});

test('a drip of a few bytes a second is given up, and so is a host that does nothing else', async () => {
  const { error, milliseconds } = await fetchFrom((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', ETag: '"1"' });
    const drip = setInterval(() => response.write('x'), 30);
    response.once('close', () => clearInterval(drip));
  });
  assert.equal(error?.name, 'HostUnavailable');
  assert.match(error?.message ?? '', /4 times in a row; at last: only \d+ bytes came in 0\.4 s/);
  assert.ok(milliseconds < 8000, `${milliseconds} ms`);
});

test('a body without a length does not take what is left for others on the disk', async () => {
  const chunk = Buffer.alloc(1 << 16, 'x');
  const { error, directory } = await fetchFrom(
    (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/octet-stream', ETag: '"1"' });
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    },
    // 20 MB beyond the reserve; less with each byte that is written.
    {
      free: async (folder) =>
        120_000_000 -
        (await stat(join(folder, `${path}.part`)).then(
          (s) => s.size,
          () => 0,
        )),
    },
  );
  assert.equal(error?.name, 'DiskFull');
  assert.match(error?.message ?? '', /has only .* left \(100\.0 MB are left alone\)\. Make room, and resume/);
  const { size } = await stat(join(directory, `${path}.part`));
  assert.ok(size <= 20_000_000, `${size} bytes were written`);
});

test('a host that sends the whole file where four bytes were asked for floods nothing', async () => {
  let sent = 0;
  const chunk = Buffer.alloc(1 << 20, 'x');
  const stopping = new AbortController();
  const running = fetchFrom(
    (request, response) => {
      if (request.headers.range !== 'bytes=0-3') return stopping.abort(new Error('measured'));
      response.writeHead(206, { 'Content-Range': 'bytes 0-3/100', 'Content-Type': 'application/octet-stream' });
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', pour);
      pour();
    },
    { signal: stopping.signal },
  );
  assert.equal((await running).error?.message, 'measured');
  assert.ok(sent < 64_000_000, `${sent} bytes`);
});
