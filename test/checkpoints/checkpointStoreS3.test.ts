import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { applyRepair, planRepair } from '../../checkpoints/repair/planRepair.js';
import { keys } from '../../storage/keys.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
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

test("a bit that flips in a manifest on the server's disk needs a person, who is told of repair; repair makes it again", async () => {
  const store = s3.store('flipped/');
  const configuration = plainConfiguration();
  const claim = (attempt: string): Promise<CheckpointStore> =>
    CheckpointStore.claim(store, { run: 'r', stage: 'coarse-pretraining', attempt, configuration });
  await (await claim('one')).save(saveOf(10));
  const key = keys.manifest('r', 'coarse');
  const file = s3.fileOf(`flipped/${key}`);
  const bytes = await readFile(file);
  bytes[20]! ^= 1;
  await writeFile(file, bytes);
  const toldOfRepair = (cause: unknown): boolean =>
    cause instanceof StoredObjectInvalid && /not what was written .* tempeh-flow repair r\.$/.test(cause.message);
  await assert.rejects(readManifest(store, 'r', 'coarse'), toldOfRepair);
  await assert.rejects(claim('two'), toldOfRepair);
  const plan = await planRepair(store, 'r', 'coarse', configuration);
  assert.equal(plan?.found.kind, 'unreadable');
  await applyRepair(store, plan);
  assert.equal(await loadedStep(await claim('three')), 10);
  const aside = await store.get(keys.unreadableManifest('r', 'coarse', 1));
  assert.deepEqual(Buffer.from(aside.body), bytes, 'what was there is kept beside');
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
