import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { keys } from '../../storage/keys.js';
import { s3Client } from '../../storage/s3/s3Client.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { startTestS3 } from '../support/servers/s3.js';
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

test('what a killed attempt had uploaded of a large part is given up by the next; no list of objects would show it', async () => {
  const client = s3Client(s3.configuration);
  const store = s3.store('cut/');
  const below = { Bucket: s3.configuration.bucket, Prefix: 'cut/' };
  const begin = async (key: string): Promise<void> => {
    const target = { Bucket: below.Bucket, Key: `cut/${key}` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Buffer.alloc(100) }));
  };
  const configuration = plainConfiguration();
  const claim = (attempt: string): Promise<CheckpointStore> =>
    CheckpointStore.claim(store, { run: 'r', stage: 'coarse-pretraining', attempt, configuration });
  await (await claim('one')).save(saveOf(10));
  await begin(`${keys.checkpoint('r', 'coarse', 20, 'one')}/optimizer.safetensors`);
  await begin(`${keys.checkpoint('r', 'coarse', 20, 'one')}/model.safetensors`);
  // Another stage's is not ours to give up.
  const others = `${keys.checkpoint('r', 'refinement', 5, 'x')}/model.safetensors`;
  await begin(others);
  const next = await claim('two');
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(below));
  assert.deepEqual(
    Uploads.map(({ Key }) => Key),
    [`cut/${others}`],
  );
  assert.equal(await loadedStep(next), 10);
  client.destroy();
});
