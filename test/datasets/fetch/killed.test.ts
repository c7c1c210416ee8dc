import { readDatasetIndex } from '../../../datasets/index/openIndex.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from '../../../configs/load.js';
import { startMiniatureHost } from '../../../miniature/host/host.js';
import { packDataset } from '../../../datasets/pack/packDataset.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { packagedMiniature } from '../../support/tiny/smallMiniature.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const program = fileURLToPath(new URL('support/obtainProcess.js', import.meta.url));

/** Runs the process; kills it when a phase has shown so many signs of progress. @returns whether it ended by itself. */
async function obtain(host: string, folder: string, kill?: { phase: string; after: number }): Promise<boolean> {
  const child = spawn(process.execPath, [program, host, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let signs = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === kill?.phase && ++signs === kill.after) child.kill('SIGKILL');
  });
  return (await ended) === 0;
}

test('killed while it fetches, extracts and packs, it ends with what it should, and fetches nothing twice', async () => {
  const packageDirectory = await packagedMiniature({ framesPerSequence: { train: 3, validation: 1, test: 1 } });
  const credentials = { username: 'a@b.org', password: 'secret' };
  const host = await startMiniatureHost({ directory: packageDirectory, ...credentials });
  const folder = join(root, 'work');
  try {
    const kills = [
      { phase: 'fetch', after: 12 },
      { phase: 'fetch', after: 40 },
      { phase: 'extract', after: 3 },
      { phase: 'extract', after: 6 },
      { phase: 'pack', after: 2 },
      { phase: 'pack', after: 4 },
    ];
    for (const kill of kills) assert.equal(await obtain(host.address, folder, kill), false, kill.phase);
    assert.ok(await obtain(host.address, folder));
    // As it is packed undisturbed.
    const { dataset } = await loadConfiguration('miniature');
    const expected = await packDataset({
      store: directoryStore(join(root, 'undisturbed')),
      configuration: dataset,
      directory: join(folder, 'data'),
    });
    const found = await readDatasetIndex(directoryStore(join(folder, 'store')), 'miniature');
    assert.deepEqual(found, await expected.whole());
    assert.equal(found.unusable.length, 0);
    // What a killed process had received and not yet written comes again: one volume for each connection at most.
    const sent = new Map<string, number>();
    for (const { path, range, bytes } of host.records) {
      if (range !== 'bytes=0-3') sent.set(path, (sent.get(path) ?? 0) + bytes);
    }
    let twice = 0;
    for (const [path, bytes] of sent) if (bytes > (await stat(join(packageDirectory, path))).size) twice++;
    assert.ok(sent.size > 50 && twice <= 2 * 4, `${twice} of ${sent.size} files came twice`);
  } finally {
    await host.close();
  }
});
