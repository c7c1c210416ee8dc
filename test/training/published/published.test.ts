import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../../configs/packageRoot.js';
import { coarseModelSchema, refinementModelSchema } from '../../../configs/schema/model.js';
import { PythonTensor, type PythonValue } from '../../../datasets/formats/pytorch/pickleWriter.js';
import { writePytorchFile } from '../../../datasets/formats/pytorch/writePytorch.js';
import { coarseLayout, refinementLayout, type TensorLayout } from '../../../model/parameters/parameterLayout.js';
import { openStore } from '../../../storage/openStore.js';
import { readManifest } from '../../../checkpoints/manifest/readManifest.js';
import { loadFinalModel } from '../../../checkpoints/reading/finalModel.js';
import { readParts } from '../../../checkpoints/reading/readCheckpoint.js';
import { decodeTrainingState, type TrainingState } from '../../../checkpoints/reading/trainingState.js';
import { exportPublished } from '../../../training/published/exportPublished.js';
import { importPublished, type Imported, type ImportOptions } from '../../../training/published/importPublished.js';
import { layoutsFor } from '../../../training/published/layouts.js';
import { toPublishedOptimizer } from '../../../training/published/optimizerState.js';
import { fromStateDict, toStateDict } from '../../../training/published/stateDict.js';
import { loadTrunk } from '../../../training/published/trunk.js';
import { goldenPath } from '../../support/golden/golden.js';
import { publishedStates, smallConfiguration, writable } from './publishedFixtures.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();
const configuration = await smallConfiguration(join(folder, 'store'));
const store = openStore(configuration.storage);
const layouts = {
  coarse: coarseLayout(configuration.model.coarse, 60),
  refinement: refinementLayout(configuration.model.refinement),
};
type Stage = keyof typeof layouts;
/** The published networks. */
const runModels = { coarse: coarseModelSchema.parse({}), refinement: refinementModelSchema.parse({}) };
const python = spawnSync('python3', ['--version']).status === 0;

/** An optimiser's state whose numbers tell the parameter, the moment and the place. */
function optimizerOf(all: readonly TensorLayout[], steps: number): PythonValue {
  const arrays = Object.fromEntries(
    all.flatMap(({ name, shape }, i) => {
      const size = shape.reduce((product, side) => product * side, 1);
      const moment = (sign: number) => Float32Array.from({ length: size }, (_, j) => sign * (i + j / size + 1e-7));
      return [
        [`${name}.exp_avg`, { shape, values: moment(-1) }],
        [`${name}.exp_avg_sq`, { shape, values: moment(1) }],
        [`${name}.step`, { shape: [], values: Float32Array.of(steps) }],
      ];
    }),
  );
  const rates = { learningRate: 1e-3, localiserLearningRate: 1e-4, weightDecay: 0.01 };
  return toPublishedOptimizer(all, arrays, rates, 'made');
}

async function writeModel(name: string, stage: Stage, change: (content: Map<string, PythonValue>) => void = () => {}) {
  const content = new Map<string, PythonValue>([
    ['model', writable(publishedStates(layouts[stage]))],
    ['optimizer_model', optimizerOf(layouts[stage], 900)],
  ]);
  change(content);
  const file = join(folder, name);
  await writePytorchFile(file, content);
  return file;
}

function importInto(run: string, file: string, options: Partial<ImportOptions> = {}): Promise<Imported> {
  return importPublished({ store, run, configuration, file, stage: null, step: null, final: false, ...options });
}

async function stateOf(run: string, stage: Stage): Promise<TrainingState> {
  const checkpoint = (await readManifest(store, run, stage))?.checkpoints.at(-1);
  assert.ok(checkpoint);
  return decodeTrainingState(await readParts(store, checkpoint), checkpoint.key);
}

const exportTo = (run: string, stage: Stage, file: string) =>
  exportPublished({ store, run, stage, step: null, configuration, fileFor: () => join(folder, file) });

for (const stage of ['coarse', 'refinement'] as const) {
  test(
    `${stage}: exported, read and written by Python, imported again: the same to the bit`,
    { skip: python ? false : 'there is no python3' },
    async () => {
      await importInto(`${stage}-a`, await writeModel('model_00001200.pth', stage));
      const before = await stateOf(`${stage}-a`, stage);
      assert.equal(before.step, 1200);
      await exportTo(`${stage}-a`, stage, 'exported.pth');
      const script = join(packageRoot, 'test/training/published/repickle.py');
      const files = [join(folder, 'exported.pth'), join(folder, 'by-python.pth')];
      const seen = JSON.parse(execFileSync('python3', [script, ...files], { encoding: 'utf8' })) as {
        shapes: Record<string, number[]>;
        long: string[];
        states: Record<string, Record<string, number[]>>;
        groups: { group_id: string; lr: string; params: number[] }[];
      };
      const shapes = layouts[stage].map(({ name, publishedShape }) => [name, publishedShape] as const);
      assert.deepEqual(Object.entries(seen.shapes), shapes, 'names in the published order');
      const counters = layouts[stage].filter(({ role }) => role === 'counter').map(({ name }) => name);
      assert.deepEqual(seen.long, counters);
      const parameters = layouts[stage].filter(({ role }) => role === 'parameter');
      const isSpecial = ({ name }: TensorLayout) => name.includes('grid_refiner');
      const ordered = [...parameters.filter((p) => !isSpecial(p)), ...parameters.filter(isSpecial)];
      assert.deepEqual(
        Object.values(seen.states).map(({ exp_avg }) => exp_avg),
        ordered.map(({ publishedShape }) => publishedShape),
      );
      assert.deepEqual(
        seen.groups.map(({ group_id }) => group_id),
        ["'base'", "'special'"],
      );
      assert.deepEqual(
        seen.groups.flatMap(({ params }) => params),
        ordered.map((_, i) => i),
      );
      assert.equal(Number(seen.groups[1]!.lr), configuration.training[before.stage].localiserLearningRate);

      await importInto(`${stage}-b`, files[1]!, { step: 1200 });
      assert.deepEqual(await stateOf(`${stage}-b`, stage), before);
    },
  );
}

for (const stage of ['coarse', 'refinement'] as const) {
  test(`${stage}: every published name and shape is ours, and the values come back`, () => {
    const file = readFileSync(goldenPath(`${stage}/state_dict.json`), 'utf8');
    const names = Object.entries(JSON.parse(file) as Record<string, number[]>);
    const states = new Map(
      names.map(([name, shape], i) => {
        const size = shape.reduce((product, side) => product * side, 1);
        const values = new Float32Array(size).map((_, j) => (name.endsWith('num_batches_tracked') ? i : j + i / 1024));
        return [name, { shape, values }];
      }),
    );
    const all = layoutsFor(stage, runModels, states);
    const problems: string[] = [];
    const back = toStateDict(all, fromStateDict(all, states, problems), 'golden').entries;
    assert.deepEqual(problems, []);
    assert.deepEqual([...back.keys()], [...states.keys()]);
    for (const [name, { shape, values }] of states) {
      const { shape: shapeBack, values: valuesBack } = back.get(name) as PythonTensor;
      assert.deepEqual(shapeBack, shape);
      assert.ok(Buffer.from(Float32Array.from(valuesBack).buffer).equals(Buffer.from(values.buffer)), name);
    }
  });
}

describe('what may follow an import', () => {
  const manifestOf = async (run: string, stage: Stage) => (await readManifest(store, run, stage))!;

  test('what may follow an import: in the middle of pre-training: it goes on there', async () => {
    await importInto('middle', await writeModel('model_00000300.pth', 'coarse'));
    const { finished, checkpoints } = await manifestOf('middle', 'coarse');
    assert.deepEqual([checkpoints[0]?.stage, checkpoints[0]?.step, finished], ['coarse-pretraining', 300, {}]);
  });

  test('at the end of pre-training: fine-tuning begins', async () => {
    await importInto('pretrained', await writeModel('x.pth', 'coarse'), {
      step: configuration.training['coarse-pretraining'].iterations,
    });
    const { finished, checkpoints } = await manifestOf('pretrained', 'coarse');
    assert.deepEqual([checkpoints[0]?.stage, Object.keys(finished)], ['coarse-pretraining', ['coarse-pretraining']]);
  });

  test('final: predictions and refinement start from it, whatever its step', async () => {
    const file = await writeModel('x.pth', 'coarse', (content) => content.delete('optimizer_model'));
    const imported = await importInto('final', file, { step: 901, final: true });
    assert.ok(imported.kind === 'coarse' && !imported.hasOptimizer);
    const model = await loadFinalModel(store, 'final', 'coarse-finetuning', 'this test');
    assert.equal(model.checkpoint.step, 901);
    const { optimizer } = await stateOf('final', 'coarse');
    assert.ok(Object.values(optimizer).every(({ values }) => values.every((value) => value === 0)));
    await assert.rejects(importInto('final', file, { step: 1000 }), /has a coarse checkpoint of step 901 already/);
  });

  test('what may follow an import: without a step, or as another stage, it is refused', async () => {
    const file = await writeModel('nameless.pth', 'coarse');
    await assert.rejects(importInto('none', file), /--step N/);
    await assert.rejects(importInto('none', file, { stage: 'refinement' }), /holds a coarse model/);
    assert.equal(await readManifest(store, 'none', 'coarse'), null);
  });
});

test('every missing, unexpected and misshapen tensor is named, the optimiser’s too, in one error', async () => {
  const states = publishedStates(layouts.refinement);
  states.delete('feature_net.model.skip3.bias');
  states.delete('feature_net.model.resnet34_32s.bn1.num_batches_tracked');
  states.set('local_densify_net.extra', { shape: [1], values: new Float32Array(1) });
  states.set('feature_net.model.skip1.bias', { shape: [2, 4], values: new Float32Array(8) });
  const file = await writeModel('model_00000001.pth', 'refinement', (content) => {
    content.set('model', writable(states));
    const state = (content.get('optimizer_model') as Map<string, PythonValue>).get('state');
    (state as Map<number, PythonValue>).delete(4);
    const fifth = (state as Map<number, PythonValue>).get(5) as Map<string, PythonValue>;
    fifth.set('exp_avg', new PythonTensor([3], new Float32Array(3)));
    fifth.set('max_exp_avg_sq', 0);
  });
  await assert.rejects(importInto('bad', file), (error: Error) => {
    for (const line of [
      /missing: feature_net\.model\.skip3\.bias \[8\]/,
      /missing: feature_net\.model\.resnet34_32s\.bn1\.num_batches_tracked/,
      /unexpected: local_densify_net\.extra/,
      /misshapen: feature_net\.model\.skip1\.bias is \[2, 4\], but should be \[8\]/,
      /missing: optimiser state 4 of feature_net/,
      /misshapen: optimiser state 5 of feature_net\S+: exp_avg is \[3\]/,
      /unexpected: optimiser state 5 of feature_net\S+: max_exp_avg_sq/,
    ])
      assert.match(error.message, line);
    assert.equal(error.message.split('\n').length, 9);
    return true;
  });
  assert.equal(await readManifest(store, 'bad', 'refinement'), null);
});

test('a trunk of torchvision’s: without counters, with a classifier', async () => {
  const prefix = 'feature_net.model.resnet34_32s.';
  const trunk = layouts.coarse.filter(({ name }) => name.startsWith(prefix));
  const states = new Map(
    [...publishedStates(trunk)]
      .filter(([name]) => !String(name).endsWith('num_batches_tracked'))
      .map(([name, value]) => [String(name).slice(prefix.length), value]),
  );
  states.set('fc.weight', { shape: [10, 64], values: new Float32Array(640) });
  const file = join(folder, 'resnet.pth');
  await writePytorchFile(file, writable(states));
  assert.equal((await importInto('trunk', file)).kind, 'trunk');
  const loaded = await loadTrunk(store, 'trunk');
  assert.deepEqual(Object.keys(loaded?.arrays ?? {}).sort(), trunk.map(({ name }) => name).sort());
  assert.deepEqual(loaded?.arrays[`${prefix}conv1.weight`]?.shape, [7, 7, 3, 8]);

  states.delete('layer2.0.bn1.bias');
  await writePytorchFile(file, writable(states));
  await assert.rejects(importInto('trunk-2', file), /missing: feature_net\.model\.resnet34_32s\.layer2\.0\.bn1\.bias/);
});
