import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FrameCache } from '../../../configs/frameCache.js';
import type { CacheCounts } from '../../../datasets/cache/counts.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import type { TrainerEvent, TrainingJob } from '../../../training/process/protocol.js';
import { startChildWork } from '../../support/processes/childWork.js';
import { packTinyDataset } from '../../support/tiny/tinyDataset.js';
import { tinyConfiguration } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
await packTinyDataset(directoryStore(root));

const configuration = tinyConfiguration({ storage: { kind: 'directory', path: root } });

async function cacheOf(run: string, cache: FrameCache): Promise<CacheCounts> {
  const job: TrainingJob = {
    ...{ run, stage: 'coarse-pretraining', configuration, attempt: '1' },
    ...{ workingDirectory: join(root, run), cache },
  };
  const trainer = startChildWork<TrainerEvent>('workers/trainer.js', { kind: 'train', job });
  let counts: CacheCounts | undefined;
  await trainer.seen((event) => {
    if (event.kind === 'progress') counts = event.progress.cache;
    return event.kind === 'finished';
  });
  assert.equal(await trainer.ended, 0);
  return counts!;
}

test(
  'runs that name one cache share it: the second fetches nothing; the worker’s limit counts',
  { timeout: 180_000 },
  async () => {
    const cache = { directory: join(root, 'cache'), limitBytes: 1e9 };
    const first = await cacheOf('one', cache);
    assert.ok(first.misses > 0 && first.hits > 0 && first.evicted === 0, JSON.stringify(first));
    const second = await cacheOf('two', cache);
    assert.deepEqual([second.misses, second.missBytes], [0, 0]);
    // The worker's limit counts, not that of the configuration (200 GB).
    const bounded = await cacheOf('three', {
      directory: join(root, 'small'),
      limitBytes: 2 * (first.missBytes / first.misses),
    });
    assert.ok(bounded.evicted > 0, JSON.stringify(bounded));
  },
);
