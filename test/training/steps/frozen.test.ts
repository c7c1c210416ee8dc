import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runConfigurationSchema } from '../../../configs/schema/run.js';
import { coarseLayout, disposeState, initialState, refinementLayout } from '../../../model/index.js';
import { isOfParts, type NetworkPart } from '../../../model/parameters/parts.js';
import { RecordedStep } from '../../../training/loop/recordedStep.js';
import { coarseNetwork } from '../../../training/networks/coarseNetwork.js';
import { refinementNetwork } from '../../../training/networks/refinementNetwork.js';
import { TrainingLoss } from '../../../training/losses/trainingLoss.js';
import { trainingStep } from '../../../training/loop/trainingStep.js';
import { AdamW } from '../../../training/optimisation/optimizer.js';
import { tinyConfiguration, tinyData } from '../stages/tinyStage.js';

const configuration = tinyConfiguration({ storage: { kind: 'directory', path: '/nonexistent' } });
const { model, training } = configuration;

for (const [model_, frozen] of [
  ['coarse', ['trunk']],
  ['coarse', ['featureNet', 'localiser']],
  ['refinement', ['featureNet']],
  ['refinement', ['v2v']],
] as ['coarse' | 'refinement', NetworkPart[]][]) {
  test(`${frozen.join(' and ')} of the ${model_} model: not a bit of it changes, and the rest is trained`, async () => {
    const data = tinyData({ refinement: true });
    const { template, regions } = data;
    const layouts =
      model_ === 'coarse'
        ? coarseLayout(model.coarse, template.vertices.length / 3)
        : refinementLayout(model.refinement);
    const state = initialState(layouts, 4);
    const options = { state, seed: 4, randomGridRotations: true, frozen };
    const network =
      model_ === 'coarse'
        ? coarseNetwork(model.coarse, options)
        : refinementNetwork(model.refinement, template, options);
    const stage = training[model_ === 'coarse' ? 'coarse-finetuning' : 'refinement'];
    const optimizer = new AdamW(state.parameters, { weightDecay: 0.1 });
    const step = new RecordedStep(network, optimizer, null);
    const loss = new TrainingLoss(template, regions, stage);
    const values = (): Map<string, string> =>
      new Map(
        Object.entries({ ...state.parameters, ...state.buffers }).map(([name, tensor]) => [
          name,
          tensor.dataSync().join(),
        ]),
      );
    const before = values();
    for (const at of [0, 1]) {
      const batch = await data.batch(at);
      const outcome = await trainingStep(batch, {
        step,
        loss,
        optimizer,
        stage,
        measureDistance: false,
        keepPrediction: false,
      });
      assert.ok(outcome.applied);
    }
    const after = values();
    const changed = new Set([...before.keys()].filter((name) => before.get(name) !== after.get(name)));
    assert.deepEqual(
      [...changed].filter((name) => isOfParts(name, frozen)),
      [],
    );
    for (const end of ['.weight', '.running_mean']) {
      const others = [...before.keys()].filter((name) => name.endsWith(end) && !isOfParts(name, frozen));
      assert.ok(others.length > 3 && others.filter((name) => changed.has(name)).length > others.length / 2, end);
    }
    await loss.close();
    step.dispose();
    optimizer.dispose();
    disposeState(state);
  });
}

test('freezing all, or what a model has not, is refused by the setting', () => {
  const refused = (stage: string, frozen: string[]) =>
    String(
      runConfigurationSchema.safeParse({
        ...configuration,
        training: { ...training, [stage]: { ...training['refinement'], iterations: 900_000, frozen } },
      }).error,
    );
  assert.match(refused('coarse-finetuning', ['featureNet', 'localiser', 'v2v']), /nothing is left to train/);
  assert.match(refused('refinement', ['localiser']), /which the refinement model has not/);
});
