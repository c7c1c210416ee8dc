import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { tensorMemory } from '../../../tensor/index.js';
import { readManifest } from '../../../checkpoints/manifest/readManifest.js';
import { StageNotFinished } from '../../../checkpoints/errors.js';
import { Diverged, StageStopped } from '../../../training/errors.js';
import type { StageResult, TrainerEvent } from '../../../training/process/protocol.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { attempt, scalars, trainUndisturbed } from './stageAttempts.js';
import { often, tinyConfiguration, tinyData, tinyJob } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const at = (folder: string): string => join(root, folder);
const undisturbed = await trainUndisturbed(at('undisturbed'));

test('all three stages train to their last step, each from the one before', async () => {
  assert.equal(undisturbed['coarse-pretraining'].step, 10);
  assert.equal(undisturbed['coarse-finetuning'].step, 16);
  assert.equal(undisturbed.refinement.step, 6);
  const manifest = await readManifest(directoryStore(at('undisturbed')), 'tiny', 'coarse');
  assert.deepEqual(
    manifest!.checkpoints.map(({ step }) => step),
    [10, 15, 16],
  );
  const kinds = new Set(
    (await scalars(at('undisturbed'), 'coarse')).map((line) => line.split(' ').slice(1, -1).join(' ')),
  );
  for (const tag of [
    'Learning rate/train',
    'Total loss/train',
    'Points loss/validation',
    'Points2Surface distance/train',
    'Gradient norm/train',
    'Skipped batches/train',
    'Validation by region, mm/lips',
    'Val/head_VERTEX',
  ]) {
    assert.ok(kinds.has(tag), tag);
  }
  assert.ok(kinds.has('Train/view_id_00') && kinds.has('Val/view_id_02'), [...kinds].join());
});

test('a finished stage is recognised, and not trained again', async () => {
  const { result } = await attempt('coarse-pretraining', { folder: at('undisturbed') });
  assert.deepEqual(result, { ...undisturbed['coarse-pretraining'], seconds: 0 });
});

test('stops at any step leave weights and events as they would have been', { timeout: 120_000 }, async () => {
  const folder = at('disturbed');
  for (const stage of ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const) {
    let result: StageResult | null = null;
    for (const stopAfter of [1, 2, 4, 1, Infinity]) {
      const outcome = await attempt(stage, { folder }, stopAfter);
      if (outcome.stopped) assert.equal(outcome.stopped.checkpoint?.step, outcome.stopped.step);
      result = outcome.result;
      if (result) break;
    }
    assert.equal(result!.checkpoint.modelSha256, undisturbed[stage].checkpoint.modelSha256, stage);
    assert.equal(result!.loss, undisturbed[stage].loss, stage);
  }
  for (const stage of ['coarse', 'refinement'] as const) {
    assert.deepEqual(await scalars(folder, stage), await scalars(at('undisturbed'), stage));
  }
});

test('a stop in the middle of a validation leaves no gap in it', async () => {
  const folder = at('validation');
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  const stopping = new AbortController();
  const report = (event: TrainerEvent): void => {
    // The first report of step 4 comes from its validation.
    if (event.kind === 'progress' && event.progress.step === 4) stopping.abort('pre-empted');
  };
  const training = trainStage(tinyJob(configuration, 'coarse-pretraining', 'a'), report, stopping.signal, {
    openData: async () => tinyData(),
  });
  await assert.rejects(training, (error) => error instanceof StageStopped && error.step === 4);
  assert.ok(!(await scalars(folder, 'coarse')).some((line) => line.startsWith('4 Total loss/validation')));
  const { result } = await attempt('coarse-pretraining', { folder });
  assert.equal(result!.checkpoint.modelSha256, undisturbed['coarse-pretraining'].checkpoint.modelSha256);
  const sorted = async (of: string): Promise<string[]> =>
    (await scalars(of, 'coarse')).filter((line) => parseInt(line) <= 10).sort();
  assert.deepEqual(await sorted(folder), await sorted(at('undisturbed')));
});

test('a stop while a validation waits for its frames does not wait for them', { timeout: 30_000 }, async () => {
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: at('no-frames') } });
  const stopping = new AbortController();
  const data = {
    ...tinyData(),
    // oxlint-disable-next-line require-yield
    async *validationBatches(): AsyncGenerator<never> {
      stopping.abort('pre-empted');
      await new Promise<never>(() => undefined);
    },
  };
  const training = trainStage(tinyJob(configuration, 'coarse-pretraining', 'a'), () => undefined, stopping.signal, {
    openData: async () => data,
  });
  await assert.rejects(training, (error) => error instanceof StageStopped && error.step === 4);
});

test('a stop while the data set is opened is a stop, not a request that was aborted', async () => {
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: at('unopened') } });
  const stopping = new AbortController();
  const training = trainStage(tinyJob(configuration, 'coarse-pretraining', 'a'), () => undefined, stopping.signal, {
    openData: async () => {
      stopping.abort('pre-empted');
      throw new DOMException('Request aborted', 'AbortError');
    },
  });
  await assert.rejects(training, (error) => error instanceof StageStopped && error.step === 0);
});

test('no tensor is left over from a step', async () => {
  const folder = at('leaks');
  const counts: number[] = [];
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  await trainStage(tinyJob(configuration, 'coarse-pretraining', 'a'), () => undefined, new AbortController().signal, {
    openData: async () => tinyData(),
    onStep: () => counts.push(tensorMemory().tensors),
  });
  // The next batch is there already, but after the last step.
  assert.equal(new Set(counts.slice(1, -1)).size, 1, counts.join(' '));
  assert.ok(counts.at(-1)! < counts.at(-2)!, counts.join(' '));
});

test('a stage whose predecessor has not finished is refused', async () => {
  await assert.rejects(attempt('coarse-finetuning', { folder: at('empty') }), StageNotFinished);
  await assert.rejects(
    attempt('refinement', { folder: at('empty') }),
    /coarse-finetuning of run tiny has not finished/,
  );
});

test('a batch without a finite loss stops the stage, naming step, frames and checkpoint', async () => {
  await assert.rejects(attempt('coarse-pretraining', { folder: at('poisoned'), poisoned: [7] }), (error) => {
    assert.ok(error instanceof Diverged);
    assert.match(error.message, /Step 7 has a loss that is not finite \(frames s\/train\/70, s\/train\/71\)/);
    assert.match(error.message, /last good checkpoint is that of step 6/);
    return true;
  });
});

test('a batch without a finite loss is skipped and counted where the configuration says so, and changes nothing', async () => {
  const training = { 'coarse-pretraining': { ...often, iterations: 10, skipNonFiniteBatches: 1 } };
  const { result, events } = await attempt('coarse-pretraining', { folder: at('skipping'), training, poisoned: [7] });
  assert.equal(result!.step, 10);
  const last = events.filter((event) => event.kind === 'progress').at(-1);
  assert.equal(last!.progress.skippedBatches, 1);
  assert.ok(events.some((event) => event.kind === 'warning' && /Step 7 .* skipped \(1 of 1\)/.test(event.message)));
  await assert.rejects(
    attempt('coarse-pretraining', { folder: at('skipping-two'), training, poisoned: [2, 7] }),
    /Step 7 .*1 batches were skipped before/,
  );
});
