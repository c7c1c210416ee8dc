import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { finetuneDefaults } from '../../../configs/reading/finetuneDefaults.js';
import { resolveConfiguration } from '../../../configs/load.js';
import type { TrainingStage } from '../../../configs/schema/training.js';
import { writePytorchFile } from '../../../datasets/formats/pytorch/writePytorch.js';
import { coarseLayout, disposeState, refinementLayout, type TensorLayout } from '../../../model/index.js';
import { fromPublished } from '../../../model/parameters/layoutConversion.js';
import { openStore } from '../../../storage/openStore.js';
import { CheckpointStore } from '../../../checkpoints/checkpointStore.js';
import { startStage } from '../../../training/process/stageState.js';
import {
  startingModelOfFile,
  startingModelsOfRun,
  writeStartingModels,
} from '../../../training/published/startingModels.js';
import { publishedStates, publishedValues, smallConfiguration, writable } from './publishedFixtures.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();
const small = await smallConfiguration(join(folder, 'store'));
const text = JSON.stringify(small);
const configuration = resolveConfiguration(text, 'own', finetuneDefaults('{}', 'own', true));
const store = openStore(configuration.storage);
const vertexCount = 60;
const layouts = {
  coarse: coarseLayout(configuration.model.coarse, vertexCount),
  refinement: refinementLayout(configuration.model.refinement),
};
const files = { coarse: join(folder, 'model_00800000.pth'), refinement: join(folder, 'refined.pth') };

for (const stage of ['coarse', 'refinement'] as const) {
  await writePytorchFile(files[stage], new Map([['model', writable(publishedStates(layouts[stage]))]]));
}

async function startsWith(
  run: string,
  stage: TrainingStage,
  expected: readonly TensorLayout[],
  step: number,
): Promise<void> {
  const checkpoints = await CheckpointStore.claim(store, { run, stage, configuration, attempt: 'trainer' });
  const warn = (message: string) => assert.fail(message);
  const { state, resumed } = await startStage({ run, stage, configuration, store, checkpoints, vertexCount, warn });
  assert.equal(resumed?.step, step);
  for (const layout of expected) {
    const { name } = layout;
    const found = { ...state.parameters, ...state.buffers }[name]!.dataSync();
    assert.deepEqual([...found], [...fromPublished(layout, publishedValues(layout))], name);
  }
  for (const [name, { values }] of Object.entries(resumed.optimizer))
    assert.ok(
      values.every((value) => value === 0),
      name,
    );
  disposeState(state);
}

test('both stages begin with the published weights, and an optimiser that has not seen other data', async () => {
  const models = await Promise.all(Object.values(files).map((file) => startingModelOfFile(file, configuration)));
  await writeStartingModels(models, { store, run: 'own', configuration });
  await startsWith('own', 'coarse-finetuning', layouts.coarse, 1);
  await startsWith('own', 'refinement', layouts.refinement, 0);
  await assert.rejects(writeStartingModels(models, { store, run: 'own', configuration }), /has a coarse checkpoint/);
});

test('from a run: the newest checkpoint of each stage that it has', async () => {
  const models = await startingModelsOfRun(store, { run: 'own', stage: null, step: null }, configuration);
  assert.deepEqual(
    models.map(({ from }) => from),
    ['own/coarse@1', 'own/refinement@0'],
  );
  await writeStartingModels(models.slice(0, 1), { store, run: 'own-2', configuration });
  await startsWith('own-2', 'coarse-finetuning', layouts.coarse, 1);
  assert.equal((await startingModelsOfRun(store, { run: 'own-2', stage: null, step: null }, configuration)).length, 1);
  await assert.rejects(
    startingModelsOfRun(store, { run: 'nobody', stage: null, step: null }, configuration),
    /has no coarse/,
  );
});

test('rates are lower unless the file says otherwise, and pre-training is over', () => {
  const { training } = configuration;
  assert.equal(training['coarse-pretraining'].iterations, 1);
  assert.deepEqual([training['coarse-finetuning'].learningRate, training.refinement.learningRate], [1e-4, 1e-4]);
  const own = 'training: { coarse-finetuning: { iterations: 500, learningRate: 5.0e-5 } }';
  const defaults = finetuneDefaults(own, 'mine.yaml', false);
  assert.deepEqual(defaults, [
    'training.coarse-pretraining.iterations=1',
    'training.coarse-finetuning.localiserLearningRate=0.00001',
  ]);
});
