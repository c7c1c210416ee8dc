import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { PreconditionFailed, type ObjectStore } from '../../../storage/types.js';
import { crc32c } from '../../../checkpoints/events/crc32c.js';
import { EventLog } from '../../../checkpoints/events/eventLog.js';
import { readEvents } from './eventReader.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();
const store = directoryStore(folder);
const place = { store, run: 'r', stage: 'coarse', attempt: 'one' } as const;

test('CRC-32C agrees with the test vectors of RFC 3720', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('scalars and pictures are read back as they were written', () => {
  const log = new EventLog(place, 300_000, () => 1_700_000_000.25);
  const png = Buffer.alloc(100_000, 7);
  log.scalar(300_100, 'Points loss/train', 0.125);
  log.scalar(4_294_967_297, 'far', -1e-9);
  log.picture(300_200, 'Train/view_id_03', { width: 640, height: 120, png });
  const { body, from, to, key } = log.seal(300_200)!;
  assert.deepEqual({ from, to }, { from: 300_000, to: 300_200 });
  assert.equal(key, 'runs/r/coarse/events/events.out.tfevents.0000300000.one');
  const [version, points, far, picture, ...rest] = readEvents(body);
  assert.equal(version!.version, 'brain.Event:2');
  assert.deepEqual(points, { wallTime: 1_700_000_000.25, step: 300_100, tag: 'Points loss/train', scalar: 0.125 });
  assert.equal(far!.step, 4_294_967_297);
  assert.equal(far!.scalar, Math.fround(-1e-9));
  assert.deepEqual(picture!.picture, { width: 640, height: 120, png });
  assert.deepEqual(rest, []);
});

test('a segment begins where the last one was sealed, and an empty segment is not written', () => {
  const log = new EventLog(place, 0);
  log.scalar(5, 'a', 1);
  assert.equal(log.seal(10)!.from, 0);
  assert.equal(log.seal(20), null);
  log.scalar(25, 'a', 2);
  const third = log.seal(30)!;
  assert.equal(third.from, 20);
  assert.deepEqual(
    readEvents(third.body).map(({ tag }) => tag),
    [undefined, 'a'],
  );
});

test('the open segment can be watched while it grows', async () => {
  const log = new EventLog(place, 40);
  const key = 'runs/r/coarse/events/events.out.tfevents.0000000040.one';
  await log.uploadOpen();
  assert.equal(await store.head(key), null);
  log.scalar(41, 'a', 1);
  await log.uploadOpen();
  const first = await store.head(key);
  await log.uploadOpen();
  assert.equal((await store.head(key))!.etag, first!.etag, 'nothing new: nothing is sent');
  log.scalar(42, 'a', 2);
  await log.uploadOpen();
  assert.equal(readEvents((await store.get(key)).body).length, 3);
});

test('a request that comes through late does not put an earlier content in the place of a later one', async () => {
  let late: (() => Promise<unknown>) | null = null;
  const hanging: ObjectStore = {
    ...store,
    put: (key, body, options) => {
      if (late !== null) return store.put(key, body, options);
      late = () => store.put(key, body, options);
      return Promise.reject(new Error('no answer for 60 s'));
    },
  };
  const log = new EventLog({ ...place, store: hanging, attempt: 'late' }, 0);
  log.scalar(1, 'loss', 0.5);
  await assert.rejects(log.uploadOpen(), /no answer/);
  log.scalar(2, 'loss', 0.25);
  const sealed = log.seal(2)!;
  await sealed.upload();
  await assert.rejects(late!(), PreconditionFailed);
  assert.deepEqual((await store.get(sealed.key)).body, new Uint8Array(sealed.body));
});
