import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { understood } from '../../activities/waiting/interruptible.js';
import { checkConditionalPuts } from '../../storage/wrappers/conditionalPuts.js';
import { s3Client } from '../../storage/s3/s3Client.js';
import { verdictOf, verdictOfUnknown } from '../../storage/s3/errors/s3Refusals.js';
import { s3Store } from '../../storage/s3/s3Store.js';
import {
  ObjectNotFound,
  PreconditionFailed,
  StoreAccessDenied,
  StoreUnavailable,
  StoreUnsuitable,
  type ObjectStore,
} from '../../storage/types.js';
import type { SeenRequest, Treatment } from '../support/servers/s3Proxy.js';
import { startProxiedS3 } from '../support/servers/proxiedS3.js';

/** A real S3 server behind a front that refuses as other stores do, and what a user sees then. */
const { s3, proxy } = await startProxiedS3();
beforeEach(() => proxy.treat(null));

let prefixes = 0;
/** An empty store of its own. */
function open(): ObjectStore {
  const configuration = { ...s3.configuration, endpoint: proxy.endpoint, prefix: `${++prefixes}/` };
  return s3Store(configuration, s3Client(configuration));
}
const body = Buffer.from('content');

type Refusal = Omit<Extract<Treatment, { kind: 'refuse' }>, 'kind'>;
const needsPerson: readonly (readonly [Refusal, RegExp])[] = [
  [
    { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-central-1' } },
    /Set storage\.region to "eu-central-1"/,
  ],
  [
    { status: 400, code: 'AuthorizationHeaderMalformed', more: '<Region>eu-west-3</Region>' },
    /Set storage\.region to "eu-west-3"/,
  ],
  [
    {
      status: 400,
      code: 'InvalidArgument',
      more: '<ArgumentName>x-amz-tagging</ArgumentName><ArgumentValue>a</ArgumentValue>',
    },
    /It names x-amz-tagging=a\. Check storage\.encryption/,
  ],
  [{ status: 400, code: 'InvalidStorageClass' }, /Set storage\.storageClass/],
  [
    { status: 400, code: 'KMS.DisabledException', message: 'The key is disabled.' },
    /DisabledException: The key is disabled\).*storage\.encryption\.kmsKey/,
  ],
  [{ status: 400, code: 'KMS.NotFoundException' }, /storage\.encryption\.kmsKey/],
  [{ status: 501, code: 'NotImplemented' }, /storage\.requestChecksums to "when-required"/],
  [{ status: 403, code: 'InvalidObjectState' }, /moved to an archive: restore it/],
  [{ status: 403, code: 'AccountProblem' }, /wrong with the account/],
  [
    { status: 400, code: 'SomethingNew', message: 'No such luck.' },
    /SomethingNew: No such luck\).*check the settings of storage/,
  ],
];
for (const [refusal, remedy] of needsPerson) {
  test(`${refusal.status} ${refusal.code} ends at once, and says which setting to change`, async () => {
    const store = open();
    let requests = 0;
    proxy.treat(() => {
      requests++;
      return { kind: 'refuse', ...refusal };
    });
    for (const work of [() => store.get('key'), () => store.put('key', body), () => store.head('key')]) {
      await assert.rejects(work, (error: unknown) => {
        assert.ok(error instanceof StoreUnsuitable, String(error));
        assert.match(error.message, remedy);
        return true;
      });
    }
    assert.ok(requests <= 4 + 3 * 5, String(requests));
  });
}

const waits: readonly (readonly [Refusal, RegExp])[] = [
  [
    { status: 403, code: 'RequestTimeTooSkewed', more: '<ServerTime>2031-01-01T00:00:00Z</ServerTime>' },
    /clock of this machine is wrong \(here it is 20.*there 2031-01-01T00:00:00Z\): set it, by NTP/,
  ],
  [{ status: 403, code: 'QuotaExceeded' }, /quota of the bucket or account/],
  [{ status: 400, code: 'XMinioAdminBucketQuotaExceeded' }, /quota of the bucket or account/],
  [{ status: 403, code: 'AccessForbidden', message: 'Bucket quota reached' }, /quota of the bucket or account/],
  [{ status: 507, code: 'XMinioStorageFull' }, /free room there, or raise it/],
  [{ status: 400, code: 'RequestTimeout' }, /RequestTimeout/],
];
for (const [refusal, remedy] of waits) {
  test(`${refusal.status} ${refusal.code} is waited for, and is not taken for the credentials`, async () => {
    const store = open();
    // What was accepted before is not why this is refused.
    await store.put('before', body);
    proxy.treat(() => ({ kind: 'refuse', ...refusal }));
    await assert.rejects(store.get('before'), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable, String(error));
      assert.match(error.message, remedy);
      assert.doesNotMatch(error.message, /credentials in the environment|renew them/);
      return true;
    });
    await assert.rejects(store.head('before'), StoreUnavailable);
  });
}

test('an activity that is refused for a setting is not tried again', async () => {
  proxy.treat(() => ({ kind: 'refuse', status: 400, code: 'KMS.DisabledException' }));
  await assert.rejects(
    understood(() => open().get('key')),
    { name: 'ApplicationFailure', type: 'ConfigurationInvalid', nonRetryable: true },
  );
});

test('of what the table does not name, refusals are final, and whatever the store could not do passes', () => {
  const outcomeOf = (httpStatusCode: number | undefined, name: string): string => {
    const cause = { name, Code: name, $metadata: { httpStatusCode } };
    return (verdictOf(cause) ?? verdictOfUnknown(cause)).outcome;
  };
  for (const status of [400, 402, 403, 405, 409, 410, 411, 451])
    assert.equal(outcomeOf(status, 'Some'), 'needs a person');
  for (const status of [500, 502, 503, 504, 520, undefined]) assert.equal(outcomeOf(status, 'Some'), 'waits');
  for (const code of ['SlowDown', 'TooManyRequests', 'OperationAborted', 'KMS.ThrottlingException', 'NoSuchUpload']) {
    assert.equal(outcomeOf(400, code), 'waits', code);
  }
});

test('a page of a gateway is no missing object, and no refusal of the credentials', async () => {
  const store = open();
  await store.put('there', body);
  proxy.treat(() => ({ kind: 'page', status: 404, page: 'default backend - 404' }));
  await assert.rejects(store.get('there'), StoreUnavailable);
  await assert.rejects(store.head('there'), /none of an S3 store: check storage\.endpoint.*NO_PROXY/);
  proxy.treat(() => ({ kind: 'page', status: 403, page: '<html><p>Blocked by policy</html>' }));
  await assert.rejects(store.get('there'), /refused to read there \(status 403\).*a gateway, a firewall/);
  proxy.treat(() => ({ kind: 'page', status: 200, page: '<html>Log in to the network</html>' }));
  await assert.rejects(store.get('there'), /has no ETag.*a page to log in/);
  await assert.rejects(store.put('there', body), /has no ETag/);
  proxy.treat(null);
  await assert.rejects(store.get('not-there'), ObjectNotFound);
});

test('a store that wants Content-MD5 gets it: for deletions always, for others once it has asked', async () => {
  const store = open();
  let refused = 0;
  const seen: SeenRequest[] = [];
  proxy.treat((request) => {
    if (request.method === 'GET' || request.method === 'HEAD') return null;
    seen.push(request);
    if (request.headers['content-md5'] !== undefined) return null;
    refused++;
    return {
      kind: 'refuse',
      status: 400,
      code: request.method === 'POST' ? 'MissingContentMD5' : 'InvalidRequest',
      message: 'Missing required header for this request: Content-MD5',
    };
  });
  await store.put('a', body);
  await store.put('b', body);
  assert.equal(refused, 1, 'asked for once');
  await store.delete(['a', 'b']);
  assert.equal(refused, 1);
  assert.equal(seen.length, 4);
  assert.equal(await store.head('a'), null);
  await checkConditionalPuts(store, 'check');
});

test('weak ETags, as a gateway that compresses gives them, do not lose conditional puts', async () => {
  const store = open();
  proxy.treat(() => ({ kind: 'answer headers', change: { etag: (etag) => etag && `W/${etag}` } }));
  await checkConditionalPuts(store, 'check');
  const { etag } = await store.put('a', body, { ifAbsent: true });
  assert.equal((await store.head('a'))?.etag, etag);
  await store.put('a', Buffer.from('next'), { ifMatch: etag });
  await assert.rejects(store.put('a', body, { ifMatch: etag }), PreconditionFailed);
});

test('ETags that are taken away, or changed, end the check before anything is trained', async () => {
  for (const change of [() => undefined, () => '"another"']) {
    const store = open();
    proxy.treat(() => ({ kind: 'answer headers', change: { etag: change } }));
    await assert.rejects(checkConditionalPuts(store, 'check'), StoreUnsuitable);
  }
});

test('of the check, the first error is thrown; where nothing can be deleted, each attempt leaves the same object', async () => {
  const store = open();
  const denied: Treatment = { kind: 'refuse', status: 403, code: 'AccessDenied' };
  proxy.treat(({ method, query }) => (method === 'POST' && query.startsWith('delete') ? denied : null));
  for (let attempt = 0; attempt < 3; attempt++) {
    await assert.rejects(checkConditionalPuts(store, 'check'), (error: unknown) => {
      assert.ok(error instanceof StoreAccessDenied, String(error));
      assert.match(error.message, /refused to delete check/);
      return true;
    });
  }
  proxy.treat(({ method, headers }) =>
    method === 'POST'
      ? denied
      : 'if-match' in headers
        ? { kind: 'refuse', status: 400, code: 'InvalidArgument' }
        : null,
  );
  await assert.rejects(checkConditionalPuts(store, 'check'), /InvalidArgument/);
  proxy.treat(null);
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  assert.deepEqual(keys, ['check']);
});

test('of many deletions, the one that failed is named', async () => {
  const store = open();
  await store.put('b', body);
  proxy.treat(() => ({
    kind: 'answer',
    answer: async () =>
      `<DeleteResult><Error><Key>${prefixes}/b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>`,
  }));
  await assert.rejects(store.delete(['a', 'b']), /refused to delete b \(AccessDenied: No\.\)/);
});

test('a file that cannot be read is reported as such, not as an outage of the store', async () => {
  await assert.rejects(open().put('a', { path: '/no/such/file' }), { code: 'ENOENT' });
});
