import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManifestMissing, NoUsableCheckpoint } from '../../../checkpoints/errors.js';
import { readManifest } from '../../../checkpoints/manifest/readManifest.js';
import { applyRepair, planRepair } from '../../../checkpoints/repair/planRepair.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { keys } from '../../../storage/keys.js';
import { faultOf } from '../../../training/process/faults.js';
import type { StageResult } from '../../../training/process/protocol.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { attempt, scalars } from './stageAttempts.js';
import { tinyConfiguration, tinyData, tinyJob } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const at = (folder: string): string => join(root, folder);
const stage = 'coarse-pretraining';
const undisturbed = (await attempt(stage, { folder: at('undisturbed') })).result!;

/** Weights and events are those of the undisturbed run: nothing lost, nothing doubled. */
async function assertEqual(folder: string, result: StageResult | null): Promise<void> {
  assert.equal(result?.checkpoint.modelSha256, undisturbed.checkpoint.modelSha256);
  assert.deepEqual(await scalars(folder, 'coarse'), await scalars(at('undisturbed'), 'coarse'));
}

async function keysBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of directoryStore(folder).list('')) found.push(key);
  return found.sort();
}

test('a manifest that is deleted under a live run stops it; repaired, it ends as if nothing had been', async () => {
  const folder = at('deleted');
  const store = directoryStore(folder);
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  const manifest = keys.manifest('tiny', 'coarse');
  const deleting: Promise<void>[] = [];
  const training = trainStage(tinyJob(configuration, stage, 'live'), () => undefined, new AbortController().signal, {
    openData: async () => tinyData(),
    onStep: (_, { step }) => {
      if (step === 5) deleting.push(store.delete([manifest]));
    },
  });
  await assert.rejects(training, (error) => {
    assert.ok(error instanceof ManifestMissing, String(error));
    assert.equal(faultOf(error), 'data', 'a person is needed: it is not tried again');
    return true;
  });
  await Promise.all(deleting);
  const before = await keysBelow(folder);
  await assert.rejects(attempt(stage, { folder }), ManifestMissing, 'nor does another attempt begin anew');
  assert.deepEqual(await keysBelow(folder), before);

  const plan = await planRepair(store, 'tiny', 'coarse', configuration);
  assert.deepEqual(
    plan!.checkpoints.map(({ checkpoint: { step }, isVerified }) => [step, isVerified]),
    [
      [3, true],
      [6, true],
    ],
  );
  assert.deepEqual([plan!.unusable, plan!.gaps], [[], []]);
  await applyRepair(store, plan!);
  const { result } = await attempt(stage, { folder });
  await assertEqual(folder, result);
});

test('the newest checkpoint cut short, the one before deleted and restored: training goes on from that', async () => {
  const folder = at('cut');
  const store = directoryStore(folder);
  await attempt(stage, { folder }, 7);
  const [older, newest] = (await readManifest(store, 'tiny', 'coarse'))!.checkpoints.slice(-2);
  assert.deepEqual([older!.step, newest!.step], [6, 7]);
  const cut = `${newest!.key}/optimizer.safetensors`;
  await store.put(cut, (await store.get(cut)).body.subarray(0, 100));
  const names = Object.keys(older!.parts).map((name) => `${older!.key}/${name}`);
  const bodies = await Promise.all(names.map(async (key) => (await store.get(key)).body));
  await store.delete(names);

  await assert.rejects(attempt(stage, { folder }), (error) => {
    assert.ok(error instanceof NoUsableCheckpoint);
    assert.match(error.message, /step 7 .*optimizer\.safetensors has 100 bytes.*step 6 .*is missing/s);
    return true;
  });
  for (const [i, key] of names.entries()) await store.put(key, bodies[i]!);
  const { result, events } = await attempt(stage, { folder });
  await assertEqual(folder, result);
  const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  assert.ok(
    warnings.some((warning) =>
      /step 7 .* is damaged: .* It is put aside\. Training goes on from .* step 6/.test(warning),
    ),
    warnings.join('\n'),
  );
});
