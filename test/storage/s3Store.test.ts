import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { openStore } from '../../storage/openStore.js';
import { s3Client } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import { PreconditionFailed, StoreAccessDenied } from '../../storage/types.js';
import { answerLosingProxy } from '../support/servers/answerLosingProxy.js';
import { startTestS3 } from '../support/servers/s3.js';
import { describeStore } from './storeContract.js';

const s3 = await startTestS3();
after(() => s3.stop());

describeStore('a bucket', async () => s3.store());
describeStore('what lies below a prefix', async () => s3.store('some/prefix/'));

test('two prefixes of a bucket do not see each other', async () => {
  const [one, two] = [s3.store('one/'), s3.store('two/')];
  await one.put('key', new Uint8Array([1]));
  assert.equal(await two.head('key'), null);
  const keys: string[] = [];
  for await (const { key } of two.list('')) keys.push(key);
  assert.deepEqual(keys, []);
});

test('refused credentials are distinguished from other failures, without being printed', async () => {
  const secret = 'wrong-secret-of-the-test';
  // Of a prefix of its own: nothing was accepted there before.
  const configuration = { ...s3.configuration, prefix: 'refused/' };
  const client = s3Client(configuration);
  const store = s3Store(configuration, client);
  const { AWS_SECRET_ACCESS_KEY: right } = process.env;
  process.env['AWS_SECRET_ACCESS_KEY'] = secret;
  try {
    for (const work of [() => store.get('key'), () => store.put('key', new Uint8Array(1)), () => store.head('key')]) {
      await assert.rejects(work, (error: unknown) => {
        assert.ok(error instanceof StoreAccessDenied, String(error));
        assert.ok(!JSON.stringify([error.message, String(error.cause)]).includes(secret));
        return true;
      });
    }
  } finally {
    process.env['AWS_SECRET_ACCESS_KEY'] = right;
    client.destroy();
  }
});

test('a missing bucket is named', async () => {
  const store = openStore({ ...s3.configuration, bucket: 'no-such-bucket' });
  await assert.rejects(store.put('key', new Uint8Array(1)), /bucket of s3:\/\/no-such-bucket\/ does not exist/);
});

test('a conditional put whose answer was lost is recognised as our own; one that someone else won is not', async () => {
  const proxy = await answerLosingProxy(Number(new URL(s3.configuration.endpoint!).port));
  const store = openStore({ ...s3.configuration, endpoint: `http://127.0.0.1:${proxy.port}` });
  try {
    proxy.loseAnswerTo(/^PUT .*lost-answer/);
    const { etag } = await store.put('lost-answer', Buffer.from('mine'), { ifAbsent: true });
    assert.equal(proxy.lost, 1);
    await store.put('lost-answer', Buffer.from('mine again'), { ifMatch: etag });
    await assert.rejects(store.put('lost-answer', Buffer.from('late'), { ifMatch: etag }), PreconditionFailed);
    assert.equal(Buffer.from((await store.get('lost-answer')).body).toString(), 'mine again');
  } finally {
    await proxy.close();
  }
});

test('a bit that flipped on the server is noticed; of what the caller verifies himself, nothing is verified twice', async () => {
  const store = s3.store('flipped/');
  await store.put('a', Buffer.from('as it was written'));
  const file = s3.fileOf('flipped/a');
  const bytes = await readFile(file);
  bytes[0]! ^= 1;
  await writeFile(file, bytes);
  await assert.rejects(store.get('a'), {
    name: 'ContentDamaged',
    message: /^The content of a in s3:.* is not what was written/,
  });
  const { body } = await store.get('a', { verifiedByCaller: true });
  assert.deepEqual(Buffer.from(body), bytes);
});
