import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingStage } from '../../configs/schema/training.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import {
  branchRun,
  BranchRefused,
  ensureBranch,
  refuseOtherNetworks,
  type BranchPoint,
} from '../../checkpoints/branching/branchRun.js';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { DamagedCheckpoint } from '../../checkpoints/reading/readCheckpoint.js';
import { loadFinalModel } from '../../checkpoints/reading/finalModel.js';
import { plainConfiguration, saveOf, stateAt } from './checkpointFixtures.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const newStore = (): ObjectStore => openStore({ kind: 'directory', path: temporaryFolder() });

async function claim(store: ObjectStore, run: string, stage: TrainingStage): Promise<CheckpointStore> {
  const configuration = plainConfiguration({ keepLast: 4 });
  return CheckpointStore.claim(store, { run, stage, attempt: `of-${run}`, configuration });
}

/** Pre-training to 20, fine-tuning to 40; refinement at 5. */
async function trainedRun(): Promise<ObjectStore> {
  const store = newStore();
  const coarse = await claim(store, 'old', 'coarse-pretraining');
  await coarse.save(saveOf(10));
  await coarse.save(saveOf(20, { finished: true }));
  await coarse.save(saveOf(30, { stage: 'coarse-finetuning' }));
  await coarse.save(saveOf(40, { stage: 'coarse-finetuning', finished: true }));
  await (await claim(store, 'old', 'refinement')).save(saveOf(5, { stage: 'refinement' }));
  return store;
}

const { training } = plainConfiguration({ keepLast: 4 });
const branched = (store: ObjectStore, from: Omit<BranchPoint, 'run'> & { readonly run?: string }, run = 'new') =>
  branchRun({ store, from: { run: 'old', ...from }, run, training, report: () => undefined });

test('a new run goes on from the checkpoint that was named, with the stages before it done, and owes the old run nothing', async () => {
  const store = await trainedRun();
  assert.deepEqual(await branched(store, { stage: 'coarse', step: 30 }), { step: 30, stage: 'coarse-finetuning' });
  const old = await readManifest(store, 'old', 'coarse');
  await store.delete(
    (old?.checkpoints ?? []).flatMap(({ key }) =>
      Object.keys(old!.checkpoints[0]!.parts).map((part) => `${key}/${part}`),
    ),
  );

  const manifest = await readManifest(store, 'new', 'coarse');
  assert.deepEqual(
    manifest?.checkpoints.map(({ step, milestone }) => [step, milestone]),
    [
      [20, true],
      [30, true],
    ],
  );
  assert.deepEqual(Object.keys(manifest?.finished ?? {}), ['coarse-pretraining']);
  assert.deepEqual(manifest?.events, []);
  const resumed = await (await claim(store, 'new', 'coarse-finetuning')).load(assert.fail);
  assert.deepEqual(resumed, stateAt(30, 'coarse-finetuning'));
});

test('the newest is taken where no step is named; a stage of its own has its own newest', async () => {
  const store = await trainedRun();
  assert.equal((await branched(store, { stage: 'coarse', step: null })).step, 40);
  assert.equal((await branched(store, { stage: 'coarse-pretraining', step: null }, 'other')).step, 20);
});

test('refinement brings the finished coarse model along', async () => {
  const store = await trainedRun();
  await branched(store, { stage: 'refinement', step: null });
  assert.equal((await loadFinalModel(store, 'new', 'coarse-finetuning', 'a test')).checkpoint.step, 40);
  const resumed = await (await claim(store, 'new', 'refinement')).load(assert.fail);
  assert.equal(resumed?.step, 5);
});

test('what is not there is refused with what there is; a run with checkpoints of its own is left alone', async () => {
  const store = await trainedRun();
  const message = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof BranchRefused);
    assert.match(error.message, pattern);
    return true;
  };
  await assert.rejects(
    branched(store, { stage: 'coarse', step: 11 }),
    message(/no coarse checkpoint of step 11; it has: 10, 20, 30, 40/),
  );
  await assert.rejects(branched(store, { stage: 'coarse', step: 30 }, 'old'), message(/from itself/));
  const short = { ...training, 'coarse-finetuning': { ...training['coarse-finetuning'], iterations: 35 } };
  const beyond = { store, from: { run: 'old', stage: 'coarse', step: null }, run: 'new', training: short } as const;
  await assert.rejects(
    branchRun({ ...beyond, report: () => undefined }),
    message(/new is to train coarse-finetuning to step 35, and the checkpoint of old is of step 40\. Take an earlier/),
  );
  await assert.rejects(
    branched(store, { run: 'gone', stage: 'coarse', step: null }),
    message(/gone has no coarse checkpoint: runs\/gone\/coarse\/manifest\.json/),
  );
  await branched(store, { stage: 'coarse', step: 30 });
  const before = await readManifest(store, 'new', 'coarse');
  await assert.rejects(
    branched(store, { stage: 'coarse', step: 40 }),
    message(/new has a coarse checkpoint of step 30 already/),
  );
  assert.deepEqual(await readManifest(store, 'new', 'coarse'), before);
});

test('a damaged checkpoint is not branched, and leaves the new run without any', async () => {
  const store = await trainedRun();
  const key = (await readManifest(store, 'old', 'coarse'))!.checkpoints.at(-1)!.key;
  const { body } = await store.get(`${key}/model.safetensors`);
  body[body.length - 1]! ^= 1;
  await store.put(`${key}/model.safetensors`, body);
  await assert.rejects(branched(store, { stage: 'coarse', step: null }), DamagedCheckpoint);
  assert.deepEqual((await readManifest(store, 'new', 'coarse'))?.checkpoints ?? [], []);
});

test('weights are taken over by the same network only', () => {
  const { model } = plainConfiguration();
  const other = { ...model, refinement: { ...model.refinement, gridSide: 4 } };
  const from = (stage: BranchPoint['stage']): BranchPoint => ({ run: 'old', stage, step: null });
  refuseOtherNetworks(from('coarse'), model, other);
  assert.throws(() => refuseOtherNetworks(from('refinement'), model, other), /model\.refinement are not those of old/);
});

test('a branching that is asked for again is done once, and goes on where it was interrupted', async () => {
  const store = await trainedRun();
  const copied: string[] = [];
  const branch = { from: { run: 'old', stage: 'refinement', step: null }, run: 'new', training } as const;
  const ensure = (of: ObjectStore) => ensureBranch({ ...branch, store: of, report: (line) => void copied.push(line) });
  const broken: ObjectStore = {
    ...store,
    description: store.description,
    put: async (key, body, options) => {
      if (key.includes('new/refinement/checkpoints/0')) throw new Error('the store is gone');
      return store.put(key, body, options);
    },
  };
  await assert.rejects(ensure(broken), /the store is gone/);
  assert.match(copied.join(), /coarse-pretraining.*coarse-finetuning.*refinement checkpoint of step 5/);
  copied.length = 0;
  await ensure(store);
  assert.deepEqual(copied, ['Copying the refinement checkpoint of step 5 of old']);
  const found = await readManifest(store, 'new', 'refinement');
  await ensure(store);
  assert.deepEqual(await readManifest(store, 'new', 'refinement'), found);
});
