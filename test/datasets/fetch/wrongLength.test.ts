import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Fault } from '../../../miniature/host/hostFaults.js';
import { assertSame, bytesSent, fileSize, quick, volume, withHost, type FetchTools } from './support/fetching.js';

/** The answers to the requests for one volume, after that for its size. */
async function withAnswers(faults: readonly Fault[], use: (tools: FetchTools) => Promise<void>): Promise<void> {
  await withHost({ faults: ({ path, earlier }) => (path === volume ? faults[earlier - 1] : undefined) }, use);
}

const wrong = (announced: number, sent: number) => ({ kind: 'wrongLength', announced, sent }) as const;

describe('a host that announces wrong lengths', () => {
  test('a body shorter than announced is continued, nothing comes twice', async () => {
    await withAnswers([wrong(fileSize, 100_000), wrong(fileSize - 100_000, 50_000)], async (tools) => {
      await tools.fetchIt();
      await assertSame(tools.source, tools.directory);
      assert.equal(bytesSent(tools.host, volume), fileSize);
    });
  });

  test('a length that is not that of the file is not believed: too short, too long, or of a piece', async () => {
    const answers = [
      // A whole answer that ends as announced, and is not whole.
      wrong(120_000, 120_000),
      // More is announced than there is.
      wrong(fileSize + 5000, fileSize),
      // More comes than was announced.
      wrong(90_000, fileSize),
    ];
    await withAnswers(answers, async ({ fetchIt, source, directory }) => {
      await fetchIt({ backOff: { ...quick, attempts: 6 } });
      await assertSame(source, directory);
    });
    // From where the first one was cut, a piece that is too short.
    await withAnswers(
      [wrong(fileSize, 100_000), wrong(70_000, 70_000)],
      async ({ fetchIt, source, directory, host }) => {
        await fetchIt();
        await assertSame(source, directory);
        assert.equal(bytesSent(host, volume), fileSize);
      },
    );
  });

  test('wrong lengths every time: the run stops and names the file, what came, and what was announced', async () => {
    const answers = Array.from({ length: 9 }, () => wrong(120_000, 120_000));
    await withAnswers(answers, async ({ fetchIt }) => {
      await assert.rejects(fetchIt(), {
        name: 'HostUnavailable',
        message: new RegExp(
          `${volume}, 4 times in a row; at last: .*120000 bytes of a file that it said has ${fileSize}`,
        ),
      });
    });
  });
});

test('a volume that was cut short on the disk is not taken for the whole one that was fetched', async () => {
  await withHost({}, async ({ fetchIt, source, directory }) => {
    const original = await readFile(join(source, volume));
    await fetchIt();
    // Its record says what was fetched: what lies there now is not that.
    await writeFile(join(directory, volume), original.subarray(0, 1000));
    const { fetchedBytes } = await fetchIt();
    assert.equal(fetchedBytes, fileSize);
    await assertSame(source, directory);
  });
});

test('a host without lengths and validators is taken at the length of its body', async () => {
  await withHost({}, async ({ source, fetchIt, directory }) => {
    const server = createServer((request, response) => {
      request.resume();
      const path = new URL(request.url!, 'http://x').searchParams.get('sfile')!;
      void readFile(join(source, path)).then((bytes) => {
        // In chunks: no length is announced.
        response.write(bytes.subarray(0, 1000));
        response.end(bytes.subarray(1000));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      await fetchIt({ host: `http://127.0.0.1:${(server.address() as AddressInfo).port}/download.php` });
      await assertSame(source, directory);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
