import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { CheckpointKeeper } from '../../../checkpoints/keeper/checkpointKeeper.js';
import { coarseLayout, disposeState, initialState } from '../../../model/index.js';
import { bindingCalls, tensorMemory, type PendingNumber } from '../../../tensor/index.js';
import { BatchPredictor } from '../../../training/loop/recordedPrediction.js';
import { RecordedStep } from '../../../training/loop/recordedStep.js';
import { runStageLoop, type StageLoopOptions } from '../../../training/loop/stageLoop.js';
import { TrainingLoss } from '../../../training/losses/trainingLoss.js';
import { coarseNetwork } from '../../../training/networks/coarseNetwork.js';
import { AdamW } from '../../../training/optimisation/optimizer.js';
import { often, tinyConfiguration, tinyData } from '../stages/tinyStage.js';

const { model, training } = tinyConfiguration({ storage: { kind: 'directory', path: '/nonexistent' } });
const iterations = 4;
const never = 1000;
const settings = {
  ...training['coarse-pretraining'],
  ...{ ...often, iterations, logEvery: iterations, validateEvery: never, checkpointEvery: never, picturesEvery: 2 },
};

/** Nothing is saved here. */
const checkpointing = {
  throwIfFailed: () => undefined,
  showEvents: () => undefined,
  counted: async () => undefined,
  saveSeconds: null,
  last: null,
} as unknown as CheckpointKeeper;

/**
 * Trains on a device whose updates take until all that is to happen meanwhile has happened, or 20 s.
 *
 * @param meanwhile what is to happen during the update of each step.
 * @param late the batch of this step comes when the step before is done.
 * @returns what happened, in its order, and how many numbers the host waited for after the first step.
 */
async function trainSlowly(
  meanwhile: readonly string[][],
  late: number | null = null,
): Promise<{ said: string[]; readBacks: number }> {
  const said: string[] = [];
  const data = tinyData();
  const state = initialState(coarseLayout(model.coarse, data.template.vertices.length / 3), 4);
  const network = coarseNetwork(model.coarse, { state, seed: 4, randomGridRotations: true });
  const prepare: typeof network.prepare = (batch, mode) => {
    if (mode === 'training') said.push(`upload ${batch.step}`);
    return network.prepare(batch, mode);
  };
  const optimizer = new AdamW(state.parameters, { weightDecay: 0.01 });
  let updates = 0;
  class SlowDevice extends RecordedStep {
    override async backward(...given: Parameters<RecordedStep['backward']>): Promise<PendingNumber> {
      said.push('update begins');
      const norm = await super.backward(...given);
      const awaited = meanwhile[updates++]!;
      for (let i = 0; i < 2000 && !awaited.every((each) => said.includes(each)); i++) await sleep(10);
      said.push('update ends');
      return norm;
    }
  }
  const step = new SlowDevice({ ...network, prepare }, optimizer, null);
  const loss = new TrainingLoss(data.template, data.regions, settings);
  const predictor = new BatchPredictor(network);
  let firstDone = 0;
  let lateComes = (): void => undefined;
  const lateIsThere = new Promise<void>((resolve) => (lateComes = resolve));
  const position = { step: 0, skippedBatches: 0, loss: null, validationPending: false };
  const options: StageLoopOptions = {
    ...{ stage: 'coarse-pretraining', settings, seed: 4, network, optimizer, step, predictor, loss, checkpointing },
    data: {
      ...data,
      batch: (at) => (at === late ? lateIsThere.then(() => data.batch(at)) : data.batch(at)),
      // The validation at the last step is not what is looked at here.
      async *validationBatches() {},
    },
    events: {
      scalar: (at, tag) => void (tag === 'Total loss/train' && said.push(`loss of ${at}`)),
      mesh: () => undefined,
      picture: (at, tag) => void (tag === 'Train/view_id_00' && said.push(`picture of ${at}`)),
    },
    milestoneEvery: null,
    onProgress: ({ step: done }) => {
      said.push(`done ${done}`);
      if (done === 1) firstDone = bindingCalls().readBacks;
      if (done === late) lateComes();
    },
    warn: (message) => assert.fail(message),
    signal: new AbortController().signal,
  };
  const { tensors } = tensorMemory();
  try {
    await runStageLoop(position, options);
    const readBacks = bindingCalls().readBacks - firstDone;
    assert.ok(tensorMemory().tensors <= tensors + Object.keys(optimizer.state()).length, 'no batch is left over');
    return { said, readBacks };
  } finally {
    for (const each of [step, predictor, optimizer, { dispose: () => disposeState(state) }]) each.dispose();
    await loss.close();
  }
}

const pictures = [[], ['picture of 2'], [], ['picture of 4']];

test('while the device updates, the next batch is brought to it and pictures are drawn', async () => {
  const uploads = pictures.map((_, step) => (step + 1 < iterations ? [`upload ${step + 1}`] : []));
  const { said, readBacks } = await trainSlowly(uploads.map((upload, step) => [...upload, ...pictures[step]!]));
  assert.deepEqual(said, [
    ...['upload 0', 'update begins', 'upload 1', 'update ends', 'done 1'],
    ...['update begins', 'upload 2', 'picture of 2', 'update ends', 'done 2'],
    ...['update begins', 'upload 3', 'update ends', 'done 3'],
    ...['update begins', 'picture of 4', 'update ends', 'loss of 4', 'done 4'],
  ]);
  // The norm of the first step is asked for in the second.
  assert.equal(
    readBacks,
    2 * iterations - 1,
    'the host waits for a prediction and a norm a step, and for nothing else',
  );
});

test('a batch that comes late holds up the next step, not the end of this one', async () => {
  const { said } = await trainSlowly(pictures, 2);
  const { length } = said.slice(0, said.indexOf('done 1') + 1);
  assert.deepEqual(said.slice(length, length + 5), [
    ...['update begins', 'picture of 2', 'update ends', 'done 2', 'upload 2'],
  ]);
});
