import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrainingStage } from '../../../configs/schema/training.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { StoreUnavailable, type ObjectStore } from '../../../storage/types.js';
import { LeaseLost } from '../../../checkpoints/errors.js';
import { StageStopped } from '../../../training/errors.js';
import type { StageResult, TrainerEvent } from '../../../training/process/protocol.js';
import { trainMending } from '../../../training/process/trainMending.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { attempt, scalars, trainUndisturbed } from './stageAttempts.js';
import { often, tinyConfiguration, tinyData, tinyJob } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const root = temporaryFolder();
const at = (folder: string): string => join(root, folder);

const undisturbed = await trainUndisturbed(at('undisturbed'));

test('told to stop, it does not begin a save that does not fit into the grace: the last checkpoint counts', async () => {
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: at('grace') } });
  const real = directoryStore(at('grace'));
  const stopping = new AbortController();
  const said: string[] = [];
  let checkpoints = 0;
  const training = trainStage(
    tinyJob(configuration, 'coarse-pretraining', 'a'),
    (event) => {
      if (event.kind === 'checkpoint') checkpoints++;
      if (event.kind === 'warning') said.push(event.message);
    },
    stopping.signal,
    {
      store: { ...real, put: (key, body, options) => sleep(300).then(() => real.put(key, body, options)) },
      openData: async () => tinyData(),
      graceSeconds: 0.5,
      onStep: (_milliseconds, { step }) => {
        if (checkpoints > 0 && step % often.checkpointEvery !== 0) stopping.abort('pre-empted');
      },
    },
  );
  await assert.rejects(training, (error) => error instanceof StageStopped && error.checkpoint !== null);
  assert.ok(
    said.some((message) => /^A save took .*--grace/.test(message)),
    said.join('\n'),
  );
  assert.ok(
    said.some((message) => /was not saved: .*a save takes about \d/.test(message)),
    said.join('\n'),
  );
});

test('a store that is away holds training up at the next checkpoint; a stop then ends in its grace with the last one', async () => {
  const folder = at('away');
  const configuration = tinyConfiguration({
    storage: { kind: 'directory', path: folder },
    checkpoints: { graceSeconds: 0.5 },
  });
  const real = directoryStore(folder);
  let isAway = false;
  let refused = 0;
  /** It refuses the first that it is asked for, and then does not answer at all. */
  const silence = new Promise<never>(() => undefined);
  const refuse = () => (refused++ < 1 ? Promise.reject(new Error('503 Slow Down')) : silence);
  const store: ObjectStore = {
    ...real,
    put: (key, body, options) => (isAway ? refuse() : real.put(key, body, options)),
  };
  const stopping = new AbortController();
  const events: TrainerEvent[] = [];
  const training = trainStage(
    tinyJob(configuration, 'coarse-pretraining', 'a'),
    (event) => {
      events.push(event);
      if (event.kind === 'checkpoint') isAway = true;
      if (event.kind === 'waiting') setTimeout(() => stopping.abort('pre-empted'), 1200);
    },
    stopping.signal,
    {
      store,
      openData: async () => tinyData(),
    },
  );
  await assert.rejects(training, (error) => {
    assert.ok(error instanceof StageStopped, String(error));
    assert.equal(error.step, 6, 'no step is made that a kill would make three be repeated for');
    assert.equal(error.checkpoint?.step, 3);
    return true;
  });
  const said = (wanted: 'warning' | 'waiting') => events.flatMap((e) => (e.kind === wanted ? [e.message] : []));
  assert.ok(
    said('waiting').some((message) => /checkpoint of step 6 failed, and is tried again in 1 s: .*503/.test(message)),
  );
  assert.ok(said('warning').some((message) => /step 6 was not saved/.test(message)));
  isAway = false;
  const { result } = await attempt('coarse-pretraining', { folder });
  assert.equal(result!.checkpoint.modelSha256, undisturbed['coarse-pretraining'].checkpoint.modelSha256);
});

test('a store that is away when a stage is begun is waited for in its place; a stop meanwhile ends in order', async () => {
  const folder = at('away-at-start');
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  const real = directoryStore(folder);
  /** Requests that fail before one is answered. */
  let failures = 0;
  const away = <T>(answer: () => T): T => {
    if (failures-- > 0) throw new StoreUnavailable('Could not: 503 Slow Down');
    return answer();
  };
  const store: ObjectStore = {
    ...real,
    get: async (key, options) => away(() => real.get(key, options)),
    put: async (key, body, options) => away(() => real.put(key, body, options)),
  };
  const train = (report: (event: TrainerEvent) => void, signal: AbortSignal): Promise<StageResult> => {
    const job = tinyJob(configuration, 'coarse-pretraining', 'a');
    return trainStage(job, report, signal, { store, openData: async () => tinyData() });
  };
  const stopping = new AbortController();
  failures = Infinity;
  const stop = ({ kind }: TrainerEvent): void => {
    if (kind === 'waiting') stopping.abort('pre-empted');
  };
  await assert.rejects(train(stop, stopping.signal), StageStopped);

  const said: string[] = [];
  const listen = (event: TrainerEvent): void => {
    if (event.kind === 'waiting') said.push(event.message);
    // Then also while it is claimed.
    if (event.kind === 'starting' && failures < 0) failures = said.length < 2 ? 1 : 0;
  };
  failures = 1;
  const { checkpoint } = await train(listen, new AbortController().signal);
  assert.match(said[0]!, /^Looking for what coarse-pretraining came to failed, and is tried again in 1 s: .*503/);
  assert.match(said[1]!, /^Claiming coarse-pretraining of run tiny failed/);
  assert.equal(checkpoint.modelSha256, undisturbed['coarse-pretraining'].checkpoint.modelSha256);
});

test('an attempt that was taken over stops, and harms nothing', async () => {
  const folder = at('zombie');
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  const run = (name: string, onStep: () => void): Promise<StageResult> =>
    trainStage(tinyJob(configuration, 'coarse-pretraining', name), () => undefined, new AbortController().signal, {
      openData: async () => tinyData(),
      onStep,
    });
  const successors: Promise<StageResult>[] = [];
  let steps = 0;
  const zombie = run('zombie', () => {
    if (++steps === 4) successors.push(run('successor', () => undefined));
  });
  await assert.rejects(zombie, LeaseLost);
  const [result] = await Promise.all(successors);
  assert.equal(result!.checkpoint.modelSha256, undisturbed['coarse-pretraining'].checkpoint.modelSha256);
  const withoutFinetuning = (await scalars(at('undisturbed'), 'coarse')).filter((line) => parseInt(line) <= 10);
  assert.deepEqual(await scalars(folder, 'coarse'), withoutFinetuning);
});

test('no step is begun that would cost a kill more than lie between two checkpoints, however slow the store is', async () => {
  const folder = at('slow');
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  const { iterations } = configuration.training['coarse-pretraining'];
  const real = directoryStore(folder);
  const slow: ObjectStore = {
    ...real,
    put: async (key, body, options) => {
      await sleep(100);
      return real.put(key, body, options);
    },
  };
  let counted = 0;
  let [steps, reached] = [0, 0];
  await trainStage(
    tinyJob(configuration, 'coarse-pretraining', 'a'),
    (event) => {
      if (event.kind === 'checkpoint') counted = event.checkpoint.step;
    },
    new AbortController().signal,
    {
      store: slow,
      openData: async () => tinyData(),
      // The next step is begun at once.
      onStep: () => {
        steps++;
        if (steps < iterations) reached = Math.max(reached, steps + 1 - counted);
      },
    },
  );
  assert.equal(reached, often.checkpointEvery);
});

test('where the weights that a stage starts from were damaged, its predecessor is trained to the same end again', async () => {
  const folder = at('rotten');
  const store = directoryStore(folder);
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: folder } });
  const warnings: string[] = [];
  const train = (stage: TrainingStage, name: string): Promise<StageResult> =>
    trainMending(
      tinyJob(configuration, stage, name),
      (event) => void (event.kind === 'warning' && warnings.push(event.message)),
      new AbortController().signal,
      { store, openData: async () => tinyData({ refinement: stage === 'refinement' }) },
    );
  const damage = async ({ checkpoint }: StageResult): Promise<void> => {
    const key = `${checkpoint.key}/model.safetensors`;
    const { body } = await store.get(key);
    body[body.length - 1]! ^= 1;
    await store.put(key, body);
  };
  await damage(await train('coarse-pretraining', 'one'));
  const finetuned = await train('coarse-finetuning', 'two');
  assert.ok(warnings.some((message) => /weights that coarse-pretraining ended with are damaged/.test(message)));
  assert.equal(finetuned.checkpoint.modelSha256, undisturbed['coarse-finetuning'].checkpoint.modelSha256);
  await damage(finetuned);
  const refined = await train('refinement', 'three');
  assert.equal(refined.checkpoint.modelSha256, undisturbed.refinement.checkpoint.modelSha256);
  await damage(refined);
  const again = await train('refinement', 'four');
  assert.ok(warnings.some((message) => /The last steps of refinement are trained again/.test(message)));
  assert.equal(again.checkpoint.modelSha256, undisturbed.refinement.checkpoint.modelSha256);
});
