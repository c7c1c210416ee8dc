import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { HeadObjectCommand, GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { s3Client, type S3Configuration } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import type { ObjectStore } from '../../storage/types.js';
import type { SeenRequest } from '../support/servers/s3Proxy.js';
import { startProxiedS3 } from '../support/servers/proxiedS3.js';

/** What every object is written with, as the store is asked for it: whole and in parts. */
const { s3, proxy, direct } = await startProxiedS3();
const seen: SeenRequest[] = [];
beforeEach(() => {
  seen.length = 0;
  proxy.treat((request) => {
    seen.push(request);
    return null;
  });
});

const partSize = 5 * 2 ** 20;
function open(options: Partial<S3Configuration>): ObjectStore {
  const configuration = { ...s3.configuration, endpoint: proxy.endpoint, ...options };
  return s3Store(configuration, s3Client(configuration), { keysAtOnce: 10, multipartThreshold: partSize, partSize });
}

const small = Buffer.from('content');
const large = randomBytes(partSize + 1);
/** The requests that begin an object: a put, and the begin of an upload in parts. */
async function beginnings(store: ObjectStore): Promise<SeenRequest[]> {
  await store.put('small', small);
  await store.put('large', large);
  const found = seen.filter(({ method, query }) =>
    method === 'PUT' ? !query.includes('uploadId') : method === 'POST' && query.startsWith('uploads'),
  );
  assert.equal(found.length, 2);
  return found;
}

test('encryption with a key of KMS is asked for with every object', async () => {
  const kmsKey = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const store = open({ prefix: 'kms/', encryption: { algorithm: 'aws:kms', kmsKey, bucketKey: true } });
  // The server here has no KMS: what it is asked for is looked at, and carried out without.
  for (const { headers } of await beginnings(store)) {
    assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms');
    assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], kmsKey);
    assert.equal(headers['x-amz-server-side-encryption-bucket-key-enabled'], 'true');
  }
});

test('an object that is encrypted with KMS is read once, though its ETag is no MD5', async () => {
  const store = open({ prefix: 'read/' });
  await store.put('small', small);
  const etag = `"${createHash('md5').update('another').digest('hex')}"`;
  let reads = 0;
  proxy.treat(() => {
    reads++;
    const add = { 'x-amz-server-side-encryption': () => 'aws:kms' };
    return { kind: 'answer headers', change: { etag: () => etag, ...add } };
  });
  assert.deepEqual(Buffer.from((await store.get('small')).body), small);
  assert.equal(reads, 1);
});

test('tags and storage class are given to every object', async () => {
  const tags = { project: 'heads and faces', 'cost-centre': 'a=1' };
  const store = open({ prefix: 'tags/', tags, storageClass: 'STANDARD_IA' });
  for (const { headers } of await beginnings(store)) {
    assert.equal(headers['x-amz-storage-class'], 'STANDARD_IA');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(String(headers['x-amz-tagging']))), tags);
  }
  for (const Key of ['tags/small', 'tags/large']) {
    const { TagSet = [] } = await direct.send(new GetObjectTaggingCommand({ Bucket: s3.configuration.bucket, Key }));
    assert.deepEqual(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])), tags);
  }
});

test('without these settings nothing is asked for, and the bucket decides', async () => {
  for (const { headers } of await beginnings(open({ prefix: 'plain/' }))) {
    const asked = Object.keys(headers).filter((name) => /encryption|storage-class|tagging/.test(name));
    assert.deepEqual(asked, []);
  }
  const head = await direct.send(new HeadObjectCommand({ Bucket: s3.configuration.bucket, Key: 'plain/small' }));
  assert.equal(head.ServerSideEncryption, undefined);
});
