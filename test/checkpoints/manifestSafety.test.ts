import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeSafetensors, SafetensorsError } from '../../checkpoints/safetensors.js';
import { CheckpointStore, type CheckpointRun } from '../../checkpoints/checkpointStore.js';
import { CheckpointsLost, LeaseLost, ManifestMissing, NoUsableCheckpoint } from '../../checkpoints/errors.js';
import { parseManifest } from '../../checkpoints/manifest/manifest.js';
import type { Manifest } from '../../checkpoints/manifest/manifestSchema.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { readTrainedStages } from '../../checkpoints/trainedStages.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { loadedStep, manifestWith, plainConfiguration, saveOf } from './checkpointFixtures.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const store = directoryStore(folder);
let runs = 0;
const newRun = (): string => `run-${runs++}`;
const manifestKey = (run: string): string => keys.manifest(run, 'coarse');

function claim(run: string, attempt: string, job: Partial<CheckpointRun> = {}): Promise<CheckpointStore> {
  const configuration = plainConfiguration();
  return CheckpointStore.claim(store, { run, stage: 'coarse-pretraining', attempt, configuration, ...job });
}

async function objects(run: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(`${keys.run(run)}/`)) found.push(key);
  return found.sort();
}

/** Two checkpoints, with the events that lead up to them. */
async function trained(run: string, attempt = 'one'): Promise<CheckpointStore> {
  const checkpoints = await claim(run, attempt);
  for (const [from, to] of [
    [0, 10],
    [10, 20],
  ] as const) {
    const key = keys.eventSegment(run, 'coarse', from, attempt);
    await store.put(key, Buffer.from(`${from}`));
    await checkpoints.save(saveOf(to, { events: { key, from, to } }));
  }
  return checkpoints;
}

async function rewrite(run: string, change: (manifest: Manifest) => unknown): Promise<void> {
  const manifest = await readManifest(store, run, 'coarse');
  await store.put(manifestKey(run), Buffer.from(JSON.stringify(change(manifest!))));
}

describe('a manifest that is gone', () => {
  test('a manifest that is gone is not taken for a stage that has not begun: nothing is deleted, and what to do is said', async () => {
    const run = newRun();
    await trained(run);
    const before = await objects(run);
    await store.delete([manifestKey(run)]);
    await assert.rejects(claim(run, 'two'), (error) => {
      assert.ok(error instanceof ManifestMissing);
      assert.match(
        error.message,
        /manifest\.json is missing .*steps? 10, 20, 2 event segments.*tempeh-flow repair run-/,
      );
      return true;
    });
    assert.deepEqual(
      await objects(run),
      before.filter((key) => key !== manifestKey(run)),
    );
    await assert.rejects(readManifest(store, run, 'coarse'), ManifestMissing, 'nor by those who only read');
    await assert.rejects(readTrainedStages(store, run), ManifestMissing);
  });

  test('a manifest that is gone is told to the attempt that writes next, which is not called superseded', async () => {
    const run = newRun();
    const live = await trained(run);
    await store.delete([manifestKey(run)]);
    await assert.rejects(live.save(saveOf(30)), ManifestMissing);
    assert.ok(await store.head(`${keys.checkpoint(run, 'coarse', 30, 'one')}/state.json`), 'what it saved is there');
  });

  test('a manifest that is gone with all its objects: what Temporal knows of a checkpoint keeps a run from beginning anew', async () => {
    const run = newRun();
    await trained(run);
    await store.delete(await objects(run));
    await assert.rejects(claim(run, 'two', { knownStep: 20 }), (error) => {
      assert.ok(error instanceof CheckpointsLost);
      assert.match(
        error.message,
        /checkpoint of step 20, but there is none: runs\/run-\d+\/coarse\/manifest\.json in /,
      );
      return true;
    });
    assert.deepEqual(await objects(run), []);
    assert.equal(await loadedStep(await claim(run, 'three')), null, 'where nothing is known of, a stage begins');
  });

  test('what a check of the store left behind is no trace of a stage', async () => {
    const run = newRun();
    await store.put(`${keys.checkpoints(run, 'coarse')}/conditional-put-check-x`, Buffer.from('first'));
    assert.equal(await loadedStep(await claim(run, 'one')), null);
    assert.deepEqual(await objects(run), [manifestKey(run)]);
  });
});

describe('a manifest of another shape', () => {
  const refused = async (change: (manifest: Manifest) => unknown, field: RegExp | string): Promise<void> => {
    const run = newRun();
    await trained(run);
    await rewrite(run, change);
    const before = await objects(run);
    await assert.rejects(claim(run, 'two'), (error) => {
      assert.ok(error instanceof StoredObjectInvalid, String(error));
      assert.equal(error.key, manifestKey(run));
      if (typeof field === 'string') assert.equal(error.field, field);
      else assert.match(error.field, field);
      return true;
    });
    assert.deepEqual(await objects(run), before, 'nothing was touched');
  };

  test('a manifest of another shape is refused with its field, and nothing is deleted', async () => {
    await refused(() => null, '');
    await refused((manifest) => ({ ...manifest, checkpoints: {} }), 'checkpoints');
    await refused((manifest) => ({ ...manifest, run: 'other' }), 'run');
    await refused((manifest) => ({ ...manifest, checkpoints: manifest.checkpoints.toReversed() }), /checkpoints\[1\]/);
    assert.throws(() => parseManifest(Buffer.from('{"version": 2}'), 'r', 'coarse'), /version 2.*Update the workers/);
  });

  test('a manifest of another shape: with keys that lie elsewhere deletes nothing there', async () => {
    const elsewhere = ['datasets/heads', 'runs/other/coarse/checkpoints/00000010-one', '../coarse', ''];
    for (const key of elsewhere) {
      await store.put('datasets/heads/model.safetensors', Buffer.from('frames'));
      await refused(({ checkpoints: [first, ...others], ...manifest }) => {
        return { ...manifest, checkpoints: [{ ...first, key }, ...others] };
      }, 'checkpoints[0].key');
      await refused(({ events: [first, ...others], ...manifest }) => {
        return { ...manifest, events: [{ ...first, key }, ...others] };
      }, 'events[0].key');
      const at = '2026-11-29T00:00:00.000Z';
      const entry = { step: 10, key, reason: 'bad', at };
      await refused((manifest) => ({ ...manifest, quarantined: [entry] }), 'quarantined[0].key');
      await refused((manifest) => ({ ...manifest, discarded: [`${key}/model.safetensors`] }), 'discarded[0]');
      const final = { step: 10, key, modelSha256: 'f'.repeat(64), loss: null, at };
      await refused((manifest) => ({ ...manifest, finished: { 'coarse-pretraining': final } }), /^finished.*key$/);
    }
    const parts = { '../../../datasets/heads/dataset.json': { size: 1, sha256: 'f'.repeat(64) } };
    await refused(({ checkpoints: [first, ...others], ...manifest }) => {
      return { ...manifest, checkpoints: [{ ...first, parts }, ...others] };
    }, /^checkpoints\[0\]\.parts/);
    await refused(({ checkpoints: [first, ...others], ...manifest }) => {
      return { ...manifest, checkpoints: [{ ...first, parts: {} }, ...others] };
    }, 'checkpoints[0].parts');
    assert.ok(await store.head('datasets/heads/model.safetensors'));
  });

  test('a safetensors header that is none is refused by its field', async () => {
    const bytes = (header: unknown): Uint8Array => {
      const json = Buffer.from(JSON.stringify(header));
      const file = Buffer.alloc(8 + json.length + 16);
      file.writeBigUInt64LE(BigInt(json.length));
      json.copy(file, 8);
      return file;
    };
    const tensor = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
    const decode = (header: unknown) => () => decodeSafetensors(bytes(header), 'model.safetensors');
    assert.throws(decode(null), SafetensorsError);
    assert.throws(decode({ a: null }), /model\.safetensors: the header's field a: .*expected object, received null/);
    assert.throws(decode({ a: { ...tensor, data_offsets: [0, 1e300] } }), SafetensorsError);
    assert.throws(decode({ a: { ...tensor, shape: [1e9, 1e9] } }), SafetensorsError);
    assert.throws(decode({ a: tensor, b: tensor }), /b of shape \[2\] lies at bytes 0 to 8 of 16; expected 8 to 16/);
    assert.throws(decode({ a: tensor }), /16 bytes follow the header; expected 8/);
  });
});

describe('what a manifest does not name', () => {
  const age = async (key: string, hours: number): Promise<void> => {
    const then = new Date(Date.now() - hours * 3_600_000);
    await utimes(join(folder, key), then, then);
  };

  test('a whole checkpoint beyond the newest stays, with its events: the manifest may be an older one, restored', async () => {
    const run = newRun();
    await trained(run);
    await rewrite(run, ({ checkpoints, events, ...manifest }) => {
      return { ...manifest, checkpoints: checkpoints.slice(0, 1), events: events.slice(0, 1) };
    });
    const before = await objects(run);
    for (const key of before) await age(key, 1000);
    const later = await claim(run, 'two');
    assert.deepEqual(await objects(run), before);
    assert.equal(await loadedStep(later), 10);
    await later.save(saveOf(20));
    await claim(run, 'three');
    const left = await objects(run);
    assert.ok(!left.some((key) => key.includes('00000020-one')), 'it goes when its step has been made again');
    assert.ok(!left.includes(keys.eventSegment(run, 'coarse', 10, 'one')));
  });

  test('whole checkpoints stay where the newest that counts is not there itself', async () => {
    const run = newRun();
    await trained(run);
    const newest = manifestWith(run, 'coarse', { checkpoints: [[90, 'coarse-pretraining']] });
    await rewrite(run, () => newest);
    await assert.rejects(loadedStep(await claim(run, 'two')), NoUsableCheckpoint);
    assert.equal((await objects(run)).filter((key) => key.endsWith('state.json')).length, 2);
  });

  test('whole checkpoints that training has got beyond stay too, however old: a manifest may have lost its milestones', async () => {
    const run = newRun();
    await trained(run);
    await rewrite(run, ({ checkpoints, ...manifest }) => ({ ...manifest, checkpoints: checkpoints.slice(1) }));
    const first = `${keys.checkpoint(run, 'coarse', 10, 'one')}/state.json`;
    for (const key of await objects(run)) await age(key, 1000);
    const later = await claim(run, 'two');
    for (const step of [30, 40, 50]) await later.save(saveOf(step, { finished: step === 50 }));
    assert.ok(await store.head(first));
  });

  test('what retention dropped and could not delete is named as such, and goes with a later write or claim', async () => {
    const run = newRun();
    const careful: ObjectStore = {
      ...store,
      delete: async (names) => {
        if (names.some((name) => name.endsWith('state.json'))) throw new Error('503 SlowDown');
        await store.delete(names);
      },
    };
    const configuration = plainConfiguration({ keepLast: 2, milestoneEvery: null });
    const job = { run, stage: 'coarse-pretraining', configuration } as const;
    const checkpoints = await CheckpointStore.claim(careful, { ...job, attempt: 'one' });
    for (const step of [10, 20, 30, 40]) await checkpoints.save(saveOf(step));
    assert.equal((await objects(run)).filter((key) => key.endsWith('state.json')).length, 4);
    assert.equal(checkpoints.manifest.discarded?.length, 6);
    await claim(run, 'two', { configuration });
    assert.deepEqual(
      (await objects(run)).filter((key) => key.endsWith('state.json')),
      [30, 40].map((step) => `${keys.checkpoint(run, 'coarse', step, 'one')}/state.json`),
    );
    const third = await claim(run, 'three', { configuration });
    assert.equal(third.manifest.discarded, undefined, 'and is not named for ever');
  });

  test('an attempt that finds itself superseded takes back what it uploaded, unless it counts', async () => {
    const run = newRun();
    const first = await trained(run);
    await claim(run, 'two');
    await assert.rejects(first.save(saveOf(30)), LeaseLost);
    const left = await objects(run);
    assert.ok(!left.some((key) => key.includes('00000030-one')));
    assert.equal(left.filter((key) => key.endsWith('state.json')).length, 2);
  });

  test('unfinished things of nobody known go when they are old, those of the attempt before at once', async () => {
    const run = newRun();
    await trained(run);
    const part = (attempt: string): string => `${keys.checkpoint(run, 'coarse', 30, attempt)}/model.safetensors`;
    const stays = [part('stranger'), keys.eventSegment(run, 'coarse', 20, 'stranger')];
    const goes = [part('one'), keys.eventSegment(run, 'coarse', 20, 'one')];
    const foreign = `${keys.checkpoints(run, 'coarse')}/notes.txt`;
    for (const key of [...stays, ...goes, foreign]) await store.put(key, Buffer.from('x'));
    await age(foreign, 1000);
    await claim(run, 'two');
    const isThere = async (names: string[]): Promise<boolean[]> =>
      Promise.all(names.map(async (key) => (await store.head(key)) !== null));
    assert.deepEqual(await isThere([...stays, ...goes, foreign]), [true, true, false, false, true]);
    for (const key of stays) await age(key, 25);
    await claim(run, 'three');
    assert.deepEqual(await isThere([...stays, foreign]), [false, false, true]);
  });
});

describe('checkpoints that were put aside', () => {
  const spoil = async (run: string, step: number): Promise<() => Promise<unknown>> => {
    const key = `${keys.checkpoint(run, 'coarse', step, 'one')}/model.safetensors`;
    const { body } = await store.get(key);
    await store.put(key, body.subarray(0, body.length - 4));
    return () => store.put(key, body);
  };

  test('where none can be read nothing is changed, so that restored objects are read again', async () => {
    const run = newRun();
    await trained(run);
    const restore = [await spoil(run, 10), await spoil(run, 20)];
    const before = await objects(run);
    await assert.rejects(loadedStep(await claim(run, 'two')), (error) => {
      assert.ok(error instanceof NoUsableCheckpoint);
      assert.match(error.message, /step 20 .*step 10 .*byte for byte, then: tempeh-flow resume/s);
      return true;
    });
    assert.deepEqual(await objects(run), before, 'events included');
    await restore[0]!();
    const third = await claim(run, 'three');
    assert.equal(await loadedStep(third), 10);
    assert.deepEqual(
      third.manifest.quarantined.map(({ step }) => step),
      [20],
    );
    await spoil(run, 10);
    await assert.rejects(loadedStep(await claim(run, 'four')), NoUsableCheckpoint);
    await restore[1]!();
    const fifth = await claim(run, 'five');
    assert.equal(await loadedStep(fifth), 20, 'the one that had been put aside is tried again');
    assert.deepEqual(
      fifth.manifest.checkpoints.map(({ step }) => step),
      [20],
    );
    assert.deepEqual(
      fifth.manifest.quarantined.map(({ step }) => step),
      [10],
    );
    await assert.rejects(third.save(saveOf(30)), LeaseLost);
  });
});
