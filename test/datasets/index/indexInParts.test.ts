import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { openIndex } from '../../../datasets/index/openIndex.js';
import { wholeIndex } from '../../../datasets/index/wholeIndex.js';
import { partKey, writePart } from '../../../datasets/index/sequencePart.js';
import { manifestOf, packedUnit, type PackedUnit } from '../../../datasets/pack/indexManifest.js';
import type { DatasetIndex, FrameId, IndexedFrame, IndexedObject, Split } from '../../../datasets/types.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/types.js';
import { emptyStore } from '../../activities/support/store.js';

const object = (key: string, size = key.length): IndexedObject => ({ key, size, sha256: 'a'.repeat(64) });
const idOf = (sequence: string, n: number): FrameId => ({ subject: 's', sequence, frame: String(n).padStart(4, '0') });

function frameOf(id: FrameId, registered: boolean): IndexedFrame {
  const name = `${id.subject}/${id.sequence}/${id.frame}`;
  const calibrations = [
    object(`calibrations/s/${id.sequence}/10_A.tka`),
    object(`calibrations/s/${id.sequence}/11_B.tka`),
  ];
  const registration = registered ? object(`registrations/${name}.ply`) : null;
  return { id, images: object(`images/${name}.tar`), calibrations, scan: null, registration };
}

/** Frames of several sequences one among the other, as a shuffled list has them. */
const lists: Readonly<Record<Split, readonly FrameId[]>> = {
  train: [5, 0, 3, 1, 4, 2].flatMap((n) => [idOf('b', n), idOf('a', 5 - n), idOf('c', n)]),
  validation: [idOf('v', 0), idOf('v', 1)],
  test: [...Array(4).keys()].flatMap((n) => [idOf('a', n)]),
};
const isUnusable = ({ sequence, frame }: FrameId): boolean => sequence === 'b' && frame === '0003';
const isRegistered = ({ sequence }: FrameId): boolean => sequence !== 'c';

async function stored(): Promise<{ store: ObjectStore; puts: string[]; gets: string[] }> {
  const store = emptyStore();
  const puts: string[] = [];
  const put = async (key: string, bytes: Uint8Array): Promise<IndexedObject> => {
    puts.push(key);
    await store.put(`${keys.dataset('heads')}/${key}`, bytes);
    return { key, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const units: PackedUnit[] = [];
  for (const split of ['train', 'validation', 'test'] as const) {
    for (const sequence of new Set(lists[split].map((id) => id.sequence))) {
      const ids = lists[split].filter((id) => id.sequence === sequence);
      const unusable = ids.filter(isUnusable).map((id) => ({ id, reason: 'no scan' }));
      const frames = ids.filter((id) => !isUnusable(id)).map((id) => frameOf(id, isRegistered(id)));
      const part = { frames, unusable, incomplete: [] };
      const written = await put(partKey(split, 's', sequence), writePart('f', part));
      units.push(packedUnit({ split, ids, isShared: sequence === 'a' }, part, written));
    }
  }
  const [template, vertexMasks] = [object('template.obj'), null];
  const head = { name: 'heads', storedResizeFactor: 4, imageExtension: 'png', vertexCount: 5, template, vertexMasks };
  await put('dataset.json', Buffer.from(JSON.stringify(await manifestOf(head, lists, units, put))));
  const gets: string[] = [];
  const get: ObjectStore['get'] = (key, options) => {
    gets.push(key.slice('datasets/heads/'.length));
    return store.get(key, options);
  };
  return { store: { ...store, get }, puts, gets };
}

const usable = (split: Split) => lists[split].filter((id) => !isUnusable(id));

test('frames come in the order of their lists, from the parts that have them', async () => {
  const { store, puts, gets } = await stored();
  assert.deepEqual(
    puts.filter((key) => key.startsWith('order/')),
    ['order/train.bin'],
    'only a list that mixes its sequences has an order of its own',
  );
  const index = await openIndex(store, 'heads');
  assert.deepEqual(index.counts, { train: 17, validation: 2, test: 4 });
  assert.deepEqual([index.unusable, index.cameras], [1, ['10_A', '11_B']]);
  assert.deepEqual(gets, ['dataset.json']);
  const ids = async (split: Split, from: number, to: number) =>
    (await index.range(split, from, to)).map(({ id }) => id);
  assert.deepEqual(await ids('test', 1, 3), lists.test.slice(1, 3));
  assert.deepEqual(gets.splice(0), ['dataset.json', 'parts/test/s/a.json']);
  assert.deepEqual(await ids('train', 0, 99), usable('train'));
  assert.deepEqual(await ids('train', 7, 8), usable('train').slice(7, 8));
  assert.equal(gets.length, 1 + 3, 'each part is read once');
  assert.deepEqual((await index.find('train', idOf('c', 4)))?.id, idOf('c', 4));
  assert.equal(await index.find('train', idOf('b', 3)), null);
  assert.equal(await index.find('validation', idOf('c', 4)), null);
});

test('an index in parts says what an index in one file says', async () => {
  const { store } = await stored();
  const index = await openIndex(store, 'heads');
  const whole = await index.whole();
  const single: DatasetIndex = { ...whole, version: 2 };
  const { counts, unusable, bytes, cameras, ...other } = wholeIndex(single);
  assert.deepEqual([index.counts, index.unusable, index.cameras], [counts, unusable, cameras]);
  assert.equal(index.bytes, bytes, 'objects count once, though two splits have them');
  assert.deepEqual(whole.unusable, [{ split: 'train', id: idOf('b', 3), reason: 'no scan' }]);
  for (const atMost of [1, 4, 100]) {
    const chosen = await index.registered('train', atMost);
    assert.deepEqual(chosen, await other.registered('train', atMost));
    assert.equal(chosen.length, Math.min(atMost, 11));
    assert.deepEqual(await index.registered('test', atMost), await other.registered('test', atMost));
  }
});

test('a part that was changed, is gone, or is another one is reported, and asked for again', async () => {
  const { store } = await stored();
  const key = 'datasets/heads/parts/validation/s/v.json';
  const { body } = await store.get(key);
  const index = await openIndex(store, 'heads');
  await store.put(key, Buffer.concat([body, Buffer.from(' ')]));
  await assert.rejects(index.range('validation', 0, 1), { name: 'ObjectDamaged', message: /v\.json .*pack .* again/ });
  await store.delete([key]);
  await assert.rejects(index.range('validation', 0, 1), { name: 'ObjectNotFound' });
  await store.put(key, body);
  assert.equal((await index.range('validation', 0, 9)).length, 2);
  const file = 'datasets/heads/dataset.json';
  const manifest = Buffer.from((await store.get(file)).body).toString();
  await store.put(file, Buffer.from(manifest.replace('"frames":2,', '"frames":3,')));
  await assert.rejects(openIndex(store, 'heads'), {
    name: 'FormatError',
    message: /splits\.validation: frames.*found 2/,
  });
});
