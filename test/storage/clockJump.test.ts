import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openStore } from '../../storage/openStore.js';
import { startTestS3 } from '../support/servers/s3.js';
import { S3Proxy } from '../support/servers/s3Proxy.js';

const s3 = await startTestS3();
const proxy = await S3Proxy.start(() => Number(new URL(s3.configuration.endpoint!).port));
const RealDate = Date;
after(async () => {
  globalThis.Date = RealDate;
  await proxy.stop();
  await s3.stop();
});

/** From now on this process's clock goes so many seconds ahead. */
function setClock(seconds: number): void {
  const now = (): number => RealDate.now() + seconds * 1000;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget) as Date,
    get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
  });
}

test('a clock that jumps costs one more request each time: the server refuses the signature of another time', async () => {
  const store = openStore({ ...s3.configuration, endpoint: proxy.endpoint });
  let requests = 0;
  proxy.treat(() => {
    requests++;
    return null;
  });
  let { etag } = await store.put('key', Buffer.from('0'), { ifAbsent: true });
  const seen: number[] = [];
  for (const [index, seconds] of [3600, -3600, 0].entries()) {
    setClock(seconds);
    requests = 0;
    ({ etag } = await store.put('key', Buffer.from(String(index)), { ifMatch: etag }));
    seen.push(requests);
  }
  assert.deepEqual(seen, [2, 2, 2]);
  assert.equal(Buffer.from((await store.get('key')).body).toString(), '2');
});
