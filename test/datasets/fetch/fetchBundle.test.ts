import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { TransferProgress } from '../../../datasets/fetch/progress.js';
import type { MiniatureHostOptions } from '../../../miniature/host/host.js';
import { assertSame, bytesSent, credentials, cut, paths, quick, volume, withHost } from './support/fetching.js';

test('a bundle is fetched whole, with progress, and only once', async () => {
  await withHost({}, async ({ host, source, directory, fetchIt }) => {
    const seen: TransferProgress[] = [];
    const fetched = await fetchIt({ onProgress: (progress) => seen.push(progress) });
    await assertSame(source, directory);
    assert.equal(fetched.fetchedBytes, fetched.bytes);
    assert.deepEqual(
      fetched.files.map(({ path }) => path),
      paths,
    );
    const last = seen.at(-1);
    assert.deepEqual([last?.doneBytes, last?.totalBytes], [fetched.bytes, fetched.bytes]);
    assert.deepEqual([last?.doneFiles, last?.totalFiles], [paths.length, paths.length]);
    const requests = host.records.length;
    const again = await fetchIt();
    assert.deepEqual([again.fetchedBytes, host.records.length], [0, requests]);
    assert.deepEqual(again.files, fetched.files);
    const shared = await fetchIt({ bundle: 'test-sequences' }).catch((error: unknown) => error);
    assert.equal((shared as Error).name, 'FileMissingOnHost');
  });
});

describe('a host and a network that fail', () => {
  test('cut connections are continued where they broke, 429 and 500 waited for, silence given up', async () => {
    const faults: MiniatureHostOptions['faults'] = ({ path, earlier, range }) => {
      if (path.endsWith('images_4.zip.001')) {
        return earlier === 0 ? { kind: 'status', status: 500 } : earlier < 5 && earlier > 1 ? cut(70_000) : undefined;
      }
      if (path.endsWith('images_4.zip.002')) return earlier === 1 ? { kind: 'hang' } : undefined;
      if (path.endsWith('scans.zip.001') && earlier === 1) return { kind: 'status', status: 429, retryAfter: 1 };
      if (path.endsWith('scans.zip.002') && earlier === 1) return cut(100_000);
      // Whole files where ranges were asked for.
      return path.endsWith('scans.zip.002') && range?.startsWith('bytes=1') ? { kind: 'ignoreRange' } : undefined;
    };
    await withHost({ faults }, async ({ host, source, directory, fetchIt }) => {
      const waits = new Set<string>();
      const start = performance.now();
      await fetchIt({ backOff: { ...quick, stall: 1 }, onProgress: ({ current }) => waits.add(current) });
      assert.ok(performance.now() - start > 1000, 'Retry-After is honoured');
      await assertSame(source, directory);
      assert.ok(
        [...waits].some((current) => /scans\.zip\.001 \(waiting: .*429/.test(current)),
        [...waits].join('\n'),
      );
      assert.equal(bytesSent(host, 'test_data/test_images_4.zip.001'), 300_000, 'no byte came twice');
    });
  });

  test('a host that keeps failing is given up, and says why', async () => {
    const faults = () => ({ kind: 'status', status: 503 }) as const;
    await withHost({ faults }, async ({ fetchIt }) => {
      await assert.rejects(fetchIt(), (error: Error) => {
        assert.equal(error.name, 'HostUnavailable');
        return /4 times in a row.*503/.test(error.message);
      });
    });
    await assert.rejects(
      withHost({}, ({ fetchIt }) => fetchIt({ host: 'http://127.0.0.1:9/download.php' }).then(() => undefined)),
      { name: 'HostUnavailable' },
    );
  });

  test('an interrupted download goes on in the next call from where it was', async () => {
    const stopping = new AbortController();
    const faults: MiniatureHostOptions['faults'] = ({ path, range }) =>
      path === volume && range === undefined ? { kind: 'slow', bytesPerSecond: 400_000 } : undefined;
    await withHost({ faults }, async ({ host, source, directory, fetchIt }) => {
      const first = fetchIt({
        signal: stopping.signal,
        atOnce: 9,
        onProgress: ({ doneBytes }) => {
          if (doneBytes > 1_700_000) stopping.abort(new Error('pre-empted'));
        },
      });
      await assert.rejects(first, /pre-empted/);
      const there = (await stat(join(directory, `${volume}.part`))).size;
      assert.ok(there > 0 && there < 300_000, `${there} bytes`);
      const { fetchedBytes } = await fetchIt();
      await assertSame(source, directory);
      const lastRequest = host.records.filter(({ path }) => path === volume).at(-1);
      assert.equal(lastRequest?.range, `bytes=${there}-`);
      assert.ok(fetchedBytes >= 300_000 - there);
    });
  });

  test('a file that changed at the host in between is fetched anew', async () => {
    let change: (() => Promise<void>) | undefined;
    const faults: MiniatureHostOptions['faults'] = ({ path, earlier }) =>
      path === volume && earlier === 1 ? cut(100_000) : undefined;
    await withHost({ faults }, async ({ source, directory, fetchIt }) => {
      change = async () => {
        await writeFile(join(source, volume), randomBytes(250_000));
        await utimes(join(source, volume), 1e9, 1e9);
      };
      let changed: Promise<void> | undefined;
      await fetchIt({
        backOff: { ...quick, first: 0.2, longest: 0.3 },
        onProgress: ({ current }) => {
          if (current.includes('waiting')) changed ??= change?.();
        },
      });
      await changed;
      await assertSame(source, directory);
    });
  });
});

describe('what needs a person', () => {
  test('a wrong password and a missing file are told apart, before anything is fetched', async () => {
    await withHost({}, async ({ source, directory, fetchIt }) => {
      const wrong = { ...credentials, password: 'wrong-secret' };
      await assert.rejects(fetchIt({ credentials: wrong }), (error: Error) => {
        assert.equal(error.name, 'HostCredentialsRefused');
        assert.doesNotMatch(`${error.message}${error.stack}`, /wrong-secret/);
        return true;
      });
      await rm(join(source, volume));
      await assert.rejects(
        fetchIt(),
        (error: Error) => error.name === 'FileMissingOnHost' && error.message.includes(volume),
      );
      const there = await readdir(directory, { recursive: true, withFileTypes: true });
      assert.deepEqual(
        there.filter((entry) => entry.isFile() && !entry.name.endsWith('.part.json')),
        [],
      );
    });
  });

  test('what is no ZIP archive, an unknown bundle', async () => {
    await withHost({}, async ({ source, fetchIt }) => {
      await writeFile(join(source, 'test_data/test_scans.zip.001'), 'something else');
      await assert.rejects(fetchIt(), {
        name: 'UnexpectedAnswer',
        message: /test_scans\.zip\.001 is not a ZIP archive/,
      });
      await assert.rejects(fetchIt({ bundle: 'trainig-data' }), { name: 'UnknownBundle', message: /training-data/ });
    });
  });

  test('a web page without a content type is no volume', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.end('<!DOCTYPE html><title>x</title><form><input type="password"></form>'.padEnd(1000));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}/download.php`;
    try {
      await withHost({}, async ({ fetchIt }) => {
        await assert.rejects(fetchIt({ host }), { name: 'HostCredentialsRefused' });
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

test('volumes that someone laid there are taken, if their size is right', async () => {
  await withHost({}, async ({ host, source, directory, fetchIt }) => {
    await mkdir(dirname(join(directory, volume)), { recursive: true });
    await writeFile(join(directory, volume), await readFile(join(source, volume)));
    const { bytes, fetchedBytes } = await fetchIt();
    await assertSame(source, directory);
    assert.equal(bytes - fetchedBytes, 300_000);
    assert.equal(bytesSent(host, volume), 0);
  });
});
