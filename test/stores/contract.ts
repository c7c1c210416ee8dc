/**
 * `npm run test:stores`: what the project asks of a store, of a second S3 server (SeaweedFS). Its program is fetched once
 * (48 MB).
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { s3Client } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import { PreconditionFailed, type ObjectStore } from '../../storage/types.js';
import { loadedStep, plainConfiguration, saveOf } from '../checkpoints/checkpointFixtures.js';
import { describeCheckpoints } from '../checkpoints/checkpointStoreContract.js';
import { describeStore } from '../storage/storeContract.js';
import { SeaweedFs, type Identity } from './seaweedfs.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const secret = (): string => randomBytes(20).toString('hex');
const bucket = 'tests';
const root: Identity = {
  name: 'root-of-the-test',
  secret: secret(),
  actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
};
const faces: Identity = {
  name: 'faces',
  secret: secret(),
  actions: ['Read', 'Write', 'List', 'Tagging'].map((action) => `${action}:${bucket}/teams/faces/*`),
};
const server = await SeaweedFs.start(folder, bucket, [root, faces]);
const client = s3Client(server.configuration);
after(async () => {
  client.destroy();
  await server.stop();
});
const sizes = { keysAtOnce: 10, multipartThreshold: 6 * 2 ** 20, partSize: 5 * 2 ** 20 };
const storeAt = (prefix: string): ObjectStore => s3Store({ ...server.configuration, prefix }, client, sizes);

describeStore('a bucket of SeaweedFS', async () => storeAt('whole/'));
describeStore('what lies below a prefix of it', async () => storeAt('some/prefix/'));
describeCheckpoints('checkpoints in SeaweedFS', async () => storeAt('checkpoints/'));

test('of conditional puts that race one wins, and reads beside writes are never torn', async () => {
  const store = storeAt('races/');
  for (let round = 0; round < 20; round++) {
    const key = `manifest-${round}`;
    const { etag } = await store.put(key, Buffer.from('first'), { ifAbsent: true });
    const bodies = Array.from({ length: 8 }, (_, i) => Buffer.alloc(50_000, i));
    const puts = bodies.map((body) =>
      store.put(key, body, { ifMatch: etag }).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof PreconditionFailed, String(error));
          return false;
        },
      ),
    );
    const reads = Array.from({ length: 4 }, () => store.get(key));
    assert.equal((await Promise.all(puts)).filter(Boolean).length, 1);
    for (const { body } of await Promise.all(reads)) {
      assert.ok(body.every((byte) => byte === body[0]) || Buffer.from(body).equals(Buffer.from('first')), 'torn');
    }
  }
});

test('what was acknowledged is there after the server was killed; what was not is whole or absent', async () => {
  const store = storeAt('killed/');
  const configuration = plainConfiguration();
  const claim = (attempt: string) =>
    CheckpointStore.claim(store, { run: 'r', stage: 'coarse-pretraining', attempt, configuration });
  const writer = await claim('one');
  await writer.save(saveOf(10));
  const acknowledged: string[] = [];
  let killed = false;
  const writing = (async () => {
    for (let i = 0; !killed; i++) {
      const key = `objects/${i}`;
      await store.put(key, Buffer.alloc(20_000, i));
      acknowledged.push(key);
    }
  })().catch(() => undefined);
  await new Promise((done) => setTimeout(done, 700));
  await server.kill();
  killed = true;
  client.destroy();
  await server.startAgain();
  await writing;
  const again = s3Client(server.configuration);
  after(() => again.destroy());
  const restarted = s3Store({ ...server.configuration, prefix: 'killed/' }, again, sizes);
  assert.ok(acknowledged.length > 5);
  // For seconds it answers that it is busy: it serves before it has looked at its volumes. Work waits for that.
  for (let tries = 0; tries < 30; tries++) {
    if (
      await restarted.get(acknowledged[0]!).then(
        () => true,
        () => false,
      )
    )
      break;
    await new Promise((done) => setTimeout(done, 1000));
  }
  for (const key of acknowledged) {
    const { body } = await restarted.get(key);
    assert.ok(body.length === 20_000 && body.every((byte) => byte === body[0]), key);
  }
  const next = await CheckpointStore.claim(restarted, {
    run: 'r',
    stage: 'coarse-pretraining',
    attempt: 'two',
    configuration,
  });
  assert.equal(await loadedStep(next), 10);
});

test('credentials of a prefix reach nothing beside it', async () => {
  process.env['AWS_ACCESS_KEY_ID'] = faces.name;
  process.env['AWS_SECRET_ACCESS_KEY'] = faces.secret;
  const own = s3Client(server.configuration);
  after(() => own.destroy());
  const at = (prefix: string): ObjectStore => s3Store({ ...server.configuration, prefix }, own, sizes);
  await at('teams/faces/').put('runs/r/manifest.json', Buffer.from('x'));
  await assert.rejects(at('teams/hands/').put('runs/r/manifest.json', Buffer.from('x')), /AccessDenied/);
  await assert.rejects(at('whole/').get('a/one'), /AccessDenied/);
});
