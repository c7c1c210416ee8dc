import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { counterRandom } from '../../../geometry/random.js';
import type { HostRequest } from '../../../miniature/host/host.js';
import type { Fault } from '../../../miniature/host/hostFaults.js';
import { assertSame, bytesSent, fileSize, paths, quick, withHost } from './support/fetching.js';

/** Three requests of four fail, each in its own way; cuts are at any byte, also before the first. */
function stormOf(seed: number): (request: HostRequest) => Fault | undefined {
  return ({ path, earlier }) => {
    const random = counterRandom(seed, 'storm', path, earlier);
    if (random.uniform() > 0.75) return undefined;
    const kind = random.integer(8);
    if (kind === 0) return { kind: 'status', status: 500 + random.integer(5) };
    if (kind === 1) return { kind: 'status', status: 429, retryAfter: 0 };
    if (kind === 2) return { kind: 'hang' };
    return { kind: 'cut', afterBytes: random.integer(fileSize) };
  };
}

for (const seed of [1, 2, 3]) {
  test(`a storm of cuts at random bytes, 5xx, 429 and silence (${seed}): every file is right, no byte came twice`, async () => {
    await withHost({ faults: stormOf(seed) }, async ({ host, source, directory, fetchIt }) => {
      const { bytes, fetchedBytes } = await fetchIt({ backOff: { ...quick, stall: 1, attempts: 20 } });
      await assertSame(source, directory);
      assert.equal(fetchedBytes, bytes);
      for (const path of paths) {
        const { size } = await stat(join(source, path));
        assert.equal(bytesSent(host, path), size, path);
      }
      // Undisturbed, it is two requests a file.
      assert.ok(host.records.length > 3 * paths.length, `${host.records.length} requests`);
    });
  });
}
