import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeSafetensors, SafetensorsError } from '../../checkpoints/safetensors.js';
import { CheckpointsLost, ManifestMissing } from '../../checkpoints/errors.js';
import { parseManifest } from '../../checkpoints/manifest/manifest.js';
import type { Manifest } from '../../checkpoints/manifest/manifestSchema.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { readTrainedStages } from '../../checkpoints/trainedStages.js';
import { keys } from '../../storage/keys.js';
import type {} from '../../storage/types.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { loadedStep, saveOf } from './checkpointFixtures.js';
import { claim, manifestKey, newRun, objects, rewrite, store, trained } from './trainedRuns.js';

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

  test('a manifest that is gone is reported to the attempt that writes next, which is not called superseded', async () => {
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
