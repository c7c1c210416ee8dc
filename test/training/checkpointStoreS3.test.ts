import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { CheckpointStore } from '../../training/checkpoints/checkpointStore.js';
import { startTestS3 } from '../support/s3.js';
import { loadedStep, plainConfiguration, saveOf } from './checkpointFixtures.js';
import { describeCheckpoints } from './checkpointStoreContract.js';

const s3 = await startTestS3();
after(() => s3.stop());

describeCheckpoints('checkpoints in a bucket', async () => s3.store('checkpoints/'));

test("a bit that flips on the server's disk is found, though the server answers, and the checkpoint before counts", async () => {
  const store = s3.store('rotten/');
  const configuration = plainConfiguration();
  const claim = (attempt: string): Promise<CheckpointStore> =>
    CheckpointStore.claim(store, { run: 'r', stage: 'coarse-pretraining', attempt, configuration });
  const first = await claim('one');
  await first.save(saveOf(10));
  const { key } = await first.save(saveOf(20));
  const file = s3.fileOf(`rotten/${key}/optimizer.safetensors`);
  const bytes = await readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(file, bytes);
  const second = await claim('two');
  assert.equal(await loadedStep(second), 10);
  assert.match(second.manifest.quarantined[0]!.reason, /optimizer\.safetensors .* is not what was written/);
});
