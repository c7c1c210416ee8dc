import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { CompleteMultipartUploadCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../../storage/s3/s3Client.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import { ChecksumMismatch, StoreUnavailable, type ObjectStore } from '../../storage/types.js';
import type { SeenRequest, Treatment } from '../support/servers/s3Proxy.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { startProxiedS3 } from '../support/servers/proxiedS3.js';

/** A file of five parts, on its way to a real S3 server through a network that fails at a part. */
const { s3, proxy, direct } = await startProxiedS3();
const folder = temporaryFolder();
beforeEach(() => proxy.treat(null));

const partSize = 5 * 2 ** 20;
const body = randomBytes(4 * partSize + 12345);
const sha256 = createHash('sha256').update(body).digest('hex');
const path = join(folder, 'body');
await writeFile(path, body);

let prefixes = 0;
/** An empty store of its own. */
function open(): ObjectStore {
  const configuration = { ...s3.configuration, endpoint: proxy.endpoint, prefix: `${++prefixes}/` };
  return s3Store(configuration, s3Client(configuration), { keysAtOnce: 10, multipartThreshold: partSize, partSize });
}

const partOf = ({ method, query }: SeenRequest): number =>
  method === 'PUT' ? Number(new URLSearchParams(query).get('partNumber')) : 0;
const isCompletion = ({ method, query }: SeenRequest): boolean => method === 'POST' && /^uploadId=/.test(query);

/** Nothing is visible, and nothing takes room unseen. */
async function assertNothingRemains(store: ObjectStore): Promise<void> {
  assert.equal(await store.head('large'), null);
  assert.deepEqual(await store.unfinishedUploads(''), []);
}

for (const number of [1, 3, 5]) {
  test(`a part that is refused (${number} of 5) fails the put: nothing is completed, nothing remains`, async () => {
    const store = open();
    const seen: SeenRequest[] = [];
    proxy.treat((request) => {
      seen.push(request);
      const refusal: Treatment = { kind: 'refuse', status: 400, code: 'InvalidArgument' };
      return partOf(request) === number ? refusal : null;
    });
    await assert.rejects(store.put('large', { path }, { sha256 }), /InvalidArgument/);
    assert.equal(seen.filter(isCompletion).length, 0);
    proxy.treat(null);
    await assertNothingRemains(store);
  });
}

test('after the first failure no further part is sent, and those under way are given up', async () => {
  const store = open();
  const begun: number[] = [];
  let release = (): void => undefined;
  const held = new Promise<'drop'>((resolve) => (release = () => resolve('drop')));
  proxy.treat((request) => {
    if (partOf(request) === 0) return null;
    begun.push(partOf(request));
    return partOf(request) === 2
      ? { kind: 'refuse', status: 400, code: 'InvalidArgument' }
      : { kind: 'hold', until: held };
  });
  await assert.rejects(store.put('large', { path }, { sha256 }), /InvalidArgument/);
  release();
  assert.ok(!begun.includes(5), String(begun));
  proxy.treat(null);
  await assertNothingRemains(store);
});

test('an aborted put ends soon, while parts are on their way, and nothing remains', async () => {
  const store = open();
  const stopping = new AbortController();
  let release = (): void => undefined;
  const held = new Promise<'drop'>((resolve) => (release = () => resolve('drop')));
  proxy.treat((request) => {
    if (partOf(request) === 0) return null;
    if (partOf(request) === 2) setTimeout(() => stopping.abort(), 20);
    return { kind: 'hold', until: held };
  });
  await assert.rejects(store.put('large', { path }, { sha256, signal: stopping.signal }), { name: 'AbortError' });
  release();
  proxy.treat(null);
  await assertNothingRemains(store);
});

test('the first failure is thrown, also where the upload cannot be abandoned', async () => {
  const store = open();
  proxy.treat((request) => {
    if (request.method === 'DELETE') return { kind: 'refuse', status: 400, code: 'InvalidArgument' };
    return isCompletion(request) ? { kind: 'refuse', status: 400, code: 'InvalidPartOrder' } : null;
  });
  await assert.rejects(store.put('large', { path }, { sha256 }), /InvalidPartOrder/);
});

test('a body that is not what was promised does not appear', async () => {
  const store = open();
  await assert.rejects(store.put('large', { path }, { sha256: '0'.repeat(64) }), ChecksumMismatch);
  await assertNothingRemains(store);
});

test('a completion whose answer was lost is recognised as ours', async () => {
  const store = open();
  let lost = 0;
  proxy.treat((request) => (isCompletion(request) && lost++ === 0 ? { kind: 'lose the answer' } : null));
  const { etag } = await store.put('large', { path }, { sha256, ifAbsent: true });
  assert.equal(lost, 2, 'the SDK asks again, and is told that there is no such upload');
  const { body: stored, information } = await store.get('large');
  assert.equal(createHash('sha256').update(stored).digest('hex'), sha256);
  assert.equal(information.etag, etag);
});

test('an object that the store puts together without a part is noticed and removed', async () => {
  const store = open();
  proxy.treat((request) => {
    if (!isCompletion(request)) return null;
    const [Bucket, ...key] = request.path.split('/');
    const [Key, UploadId] = [key.join('/'), new URLSearchParams(request.query).get('uploadId')!];
    const answer = async (): Promise<string> => {
      const { Parts } = await direct.send(new ListPartsCommand({ Bucket, Key, UploadId }));
      const MultipartUpload = { Parts: Parts!.filter(({ PartNumber }) => PartNumber !== 3) };
      const { ETag } = await direct.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }),
      );
      return `<CompleteMultipartUploadResult><ETag>${ETag}</ETag></CompleteMultipartUploadResult>`;
    };
    return { kind: 'answer', answer };
  });
  await assert.rejects(store.put('large', { path }, { sha256 }), (error: unknown) => {
    assert.ok(error instanceof StoreUnavailable, String(error));
    assert.match(
      error.message,
      new RegExp(`large as it was sent: it has ${body.length - partSize} bytes; ${body.length} were`),
    );
    return true;
  });
  await assertNothingRemains(store);
});

test('a file that becomes shorter while it is sent is reported, and nothing remains', async () => {
  const store = open();
  const shrinking = join(folder, 'shrinking');
  await writeFile(shrinking, body);
  proxy.treat((request) => {
    if (partOf(request) === 1) void writeFile(shrinking, body.subarray(0, partSize + 5));
    return partOf(request) === 0 ? null : { kind: 'delay', milliseconds: 100 };
  });
  await assert.rejects(
    store.put('large', { path: shrinking }, { sha256 }),
    /shrinking became shorter while it was sent/,
  );
  proxy.treat(null);
  await assertNothingRemains(store);
});
