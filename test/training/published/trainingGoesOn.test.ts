import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { writePytorchFile } from '../../../datasets/formats/pytorch/writePytorch.js';
import { fromPublished } from '../../../model/parameters/layoutConversion.js';
import { coarseLayout, disposeState } from '../../../model/index.js';
import { openStore } from '../../../storage/openStore.js';
import { CheckpointStore } from '../../../checkpoints/checkpointStore.js';
import { AdamW } from '../../../training/optimisation/optimizer.js';
import { freshOptimizer, toPublishedOptimizer } from '../../../training/published/optimizerState.js';
import { importPublished } from '../../../training/published/importPublished.js';
import { startStage, type StageStart } from '../../../training/process/stageState.js';
import { withTensors } from '../../../training/process/stateArrays.js';
import { publishedStates, publishedValues, smallConfiguration, writable } from './publishedFixtures.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();
const configuration = await smallConfiguration(join(folder, 'store'));
const store = openStore(configuration.storage);
const vertexCount = 60;
const layouts = coarseLayout(configuration.model.coarse, vertexCount);
const prefix = 'feature_net.model.resnet34_32s.';

async function startOf(run: string, started = configuration): Promise<StageStart> {
  const stage = 'coarse-pretraining' as const;
  const checkpoints = await CheckpointStore.claim(store, { run, stage, configuration, attempt: 'trainer' });
  const warn = (message: string) => assert.fail(message);
  return startStage({ run, stage, configuration: started, store, checkpoints, vertexCount, warn });
}

test('the coarse model starts with an imported trunk, and with its own numbers elsewhere', async () => {
  const trunk = layouts.filter(({ name }) => name.startsWith(prefix));
  const states = [...publishedStates(trunk)].map(
    ([name, value]) => [String(name).slice(prefix.length), value] as const,
  );
  const file = join(folder, 'resnet.pth');
  await writePytorchFile(file, writable(new Map(states)));
  await importPublished({ store, run: 'trunk', configuration, file, stage: null, step: null, final: false });
  const [{ state: plain }, { state, resumed }] = [await startOf('plain'), await startOf('trunk')];
  assert.equal(resumed, null);
  for (const layout of layouts) {
    const { name } = layout;
    const expected = name.startsWith(prefix)
      ? fromPublished(layout, publishedValues(layout))
      : ({ ...plain.parameters, ...plain.buffers }[name]?.dataSync() ?? []);
    assert.deepEqual([...({ ...state.parameters, ...state.buffers }[name]?.dataSync() ?? [])], [...expected], name);
  }
  disposeState(plain);
  disposeState(state);
});

test('a run that asks for a trunk of ImageNet does not begin with random weights for want of it', async () => {
  const { model } = configuration;
  const trunk = { kind: 'imagenet', file: 'resnet34-b627a593.pth' } as const;
  const asking = { ...configuration, model: { ...model, coarse: { ...model.coarse, trunk } } };
  await assert.rejects(startOf('asking', asking), {
    name: 'NetworkRefused',
    message: /asking\/coarse\/trunk\.safetensors/,
  });
});

test('training goes on from an imported checkpoint: model and optimiser fit', async () => {
  const rates = { learningRate: 1e-3, localiserLearningRate: 1e-4, weightDecay: 0.01 };
  const optimizer = freshOptimizer(layouts);
  for (const [name, { values }] of Object.entries(optimizer)) if (name.endsWith('.step')) values[0] = 450;
  const file = join(folder, 'model_00000450.pth');
  await writePytorchFile(
    file,
    new Map([
      ['model', writable(publishedStates(layouts))],
      ['optimizer_model', toPublishedOptimizer(layouts, optimizer, rates, 'made')],
    ]),
  );
  await importPublished({ store, run: 'goes-on', configuration, file, stage: null, step: null, final: false });
  const { state, resumed } = await startOf('goes-on');
  assert.equal(resumed?.step, 450);
  const adam = new AdamW(state.parameters, { weightDecay: 0.01 });
  withTensors(resumed.optimizer, (tensors) => {
    adam.restore(tensors);
    const name = layouts[0]!.name;
    assert.equal(adam.state()[`${name}.step`]?.dataSync()[0], 450);
  });
  adam.dispose();
  disposeState(state);
});
