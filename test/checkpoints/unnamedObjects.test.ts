import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { LeaseLost, NoUsableCheckpoint } from '../../checkpoints/errors.js';
import type {} from '../../checkpoints/manifest/manifestSchema.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';
import { loadedStep, manifestWith, plainConfiguration, saveOf } from './checkpointFixtures.js';
import { claim, folder, newRun, objects, rewrite, store, trained } from './trainedRuns.js';

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

  test('unfinished objects of unknown attempts go when they are old, those of the attempt before at once', async () => {
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
