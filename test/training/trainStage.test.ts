import '../support/deterministicOperations.js';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrainingStage } from '../../configs/schema/training.js';
import { directoryStore } from '../../storage/directoryStore.js';
import { keys } from '../../storage/keys.js';
import { StoreUnavailable, type ObjectStore } from '../../storage/types.js';
import { tensorMemory } from '../../tensor/index.js';
import { readManifest } from '../../training/checkpoints/claimedManifest.js';
import { LeaseLost, StageNotFinished } from '../../training/checkpoints/errors.js';
import { Diverged, StageStopped } from '../../training/errors.js';
import type { StageResult, TrainerEvent } from '../../training/protocol.js';
import { trainMending } from '../../training/trainMending.js';
import { trainStage } from '../../training/trainStage.js';
import { readEvents } from './eventReader.js';
import { tinyConfiguration, tinyData, tinyJob } from './tinyStage.js';

const root = await mkdtemp(join(tmpdir(), 'tempeh-stage-'));
after(() => rm(root, { recursive: true, force: true }));

interface Attempts {
  readonly folder: string;
  readonly training?: NonNullable<Parameters<typeof tinyConfiguration>[0]['training']>;
  readonly poisoned?: readonly number[];
}

/** One attempt at a stage; it is stopped after `stopAfter` further steps. */
async function attempt(
  stage: TrainingStage,
  { folder, training, poisoned }: Attempts,
  stopAfter = Infinity,
): Promise<{ result: StageResult | null; stopped: StageStopped | null; events: TrainerEvent[] }> {
  const store = directoryStore(join(root, folder));
  const configuration = tinyConfiguration({
    storage: { kind: 'directory', path: join(root, folder) },
    ...(training ? { training } : {}),
  });
  const stopping = new AbortController();
  const events: TrainerEvent[] = [];
  let steps = 0;
  const job = tinyJob(configuration, stage, `attempt-${Math.random().toString(36).slice(2)}`);
  try {
    const result = await trainStage(job, (event) => events.push(event), stopping.signal, {
      store,
      openData: async () => tinyData({ refinement: stage === 'refinement', ...(poisoned ? { poisoned } : {}) }),
      onStep: () => {
        if (++steps === stopAfter) stopping.abort('enough');
      },
    });
    return { result, stopped: null, events };
  } catch (cause) {
    if (!(cause instanceof StageStopped)) throw cause;
    return { result: null, stopped: cause, events };
  }
}

async function scalars(folder: string, stage: 'coarse' | 'refinement'): Promise<string[]> {
  const store = directoryStore(join(root, folder));
  const found: string[] = [];
  for await (const { key } of store.list(`${keys.events('tiny', stage)}/`)) {
    for (const { tag, step, scalar } of readEvents((await store.get(key)).body)) {
      if (tag !== undefined) found.push(`${step} ${tag} ${scalar ?? 'picture'}`);
    }
  }
  return found;
}

const undisturbed: Partial<Record<TrainingStage, StageResult>> = {};

test('all three stages train to their last step, each from the one before', async () => {
  for (const stage of ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const) {
    const { result } = await attempt(stage, { folder: 'undisturbed' });
    undisturbed[stage] = result!;
  }
  assert.equal(undisturbed['coarse-pretraining']!.step, 10);
  assert.equal(undisturbed['coarse-finetuning']!.step, 16);
  assert.equal(undisturbed.refinement!.step, 6);
  const manifest = await readManifest(directoryStore(join(root, 'undisturbed')), 'tiny', 'coarse');
  assert.deepEqual(
    manifest!.checkpoints.map(({ step }) => step),
    [10, 15, 16],
  );
  const kinds = new Set((await scalars('undisturbed', 'coarse')).map((line) => line.split(' ').slice(1, -1).join(' ')));
  for (const tag of [
    'Learning rate/train',
    'Total loss/train',
    'Points loss/validation',
    'Points2Surface distance/train',
  ]) {
    assert.ok(kinds.has(tag), tag);
  }
  assert.ok(kinds.has('Train/view_id_00') && kinds.has('Val/view_id_02'), [...kinds].join());
});

test('a finished stage is recognised, and not trained again', async () => {
  const { result } = await attempt('coarse-pretraining', { folder: 'undisturbed' });
  assert.deepEqual(result, { ...undisturbed['coarse-pretraining'], seconds: 0 });
});

test('stops at any step leave weights and events as they would have been', { timeout: 120_000 }, async () => {
  const folder = 'disturbed';
  for (const stage of ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const) {
    let result: StageResult | null = null;
    for (const stopAfter of [1, 2, 4, 1, Infinity]) {
      const outcome = await attempt(stage, { folder }, stopAfter);
      if (outcome.stopped) assert.equal(outcome.stopped.checkpoint?.step, outcome.stopped.step);
      result = outcome.result;
      if (result) break;
    }
    assert.equal(result!.checkpoint.modelSha256, undisturbed[stage]!.checkpoint.modelSha256, stage);
    assert.equal(result!.loss, undisturbed[stage]!.loss, stage);
  }
  for (const stage of ['coarse', 'refinement'] as const) {
    assert.deepEqual(await scalars(folder, stage), await scalars('undisturbed', stage));
  }
});

test('a stop in the middle of a validation leaves no gap in it', async () => {
  const folder = 'validation';
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, folder) } });
  const stopping = new AbortController();
  const report = (event: TrainerEvent): void => {
    // The first word of step 4 comes from its validation.
    if (event.kind === 'progress' && event.progress.step === 4) stopping.abort('pre-empted');
  };
  const training = trainStage(tinyJob(configuration, 'coarse-pretraining', 'a'), report, stopping.signal, {
    openData: async () => tinyData(),
  });
  await assert.rejects(training, (error) => error instanceof StageStopped && error.step === 4);
  assert.ok(!(await scalars(folder, 'coarse')).some((line) => line.startsWith('4 Total loss/validation')));
  const { result } = await attempt('coarse-pretraining', { folder });
  assert.equal(result!.checkpoint.modelSha256, undisturbed['coarse-pretraining']!.checkpoint.modelSha256);
  const sorted = async (of: string): Promise<string[]> =>
    (await scalars(of, 'coarse')).filter((line) => parseInt(line) <= 10).sort();
  assert.deepEqual(await sorted(folder), await sorted('undisturbed'));
});

test('a stop while a validation waits for its frames does not wait for them', { timeout: 30_000 }, async () => {
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, 'no-frames') } });
  const stopping = new AbortController();
  const data = {
    ...tinyData(),
    // eslint-disable-next-line require-yield
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

test('no tensor is left over from a step', async () => {
  const folder = 'leaks';
  const counts: number[] = [];
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, folder) } });
  await trainStage(tinyJob(configuration, 'coarse-pretraining', 'a'), () => undefined, new AbortController().signal, {
    openData: async () => tinyData(),
    onStep: () => counts.push(tensorMemory().tensors),
  });
  assert.equal(new Set(counts.slice(1)).size, 1, counts.join(' '));
});

test('a stage whose forerunner has not finished is refused', async () => {
  await assert.rejects(attempt('coarse-finetuning', { folder: 'empty' }), StageNotFinished);
  await assert.rejects(attempt('refinement', { folder: 'empty' }), /coarse-finetuning of run tiny has not finished/);
});

test('a batch without a finite loss stops the stage, naming step, frames and checkpoint', async () => {
  await assert.rejects(attempt('coarse-pretraining', { folder: 'poisoned', poisoned: [7] }), (error) => {
    assert.ok(error instanceof Diverged);
    assert.match(error.message, /Step 7 has a loss that is not finite \(frames s\/train\/70, s\/train\/71\)/);
    assert.match(error.message, /last good checkpoint is that of step 6/);
    return true;
  });
});

test('or it is skipped, counted, where the configuration says so, and changes nothing', async () => {
  const training = { 'coarse-pretraining': { ...often, iterations: 10, skipNonFiniteBatches: 1 } };
  const { result, events } = await attempt('coarse-pretraining', { folder: 'skipping', training, poisoned: [7] });
  assert.equal(result!.step, 10);
  const last = events.filter((event) => event.kind === 'progress').at(-1);
  assert.equal(last!.progress.skippedBatches, 1);
  assert.ok(events.some((event) => event.kind === 'warning' && /Step 7 .* skipped \(1 of 1\)/.test(event.message)));
  await assert.rejects(
    attempt('coarse-pretraining', { folder: 'skipping-two', training, poisoned: [2, 7] }),
    /Step 7 .*1 batches were skipped before/,
  );
});

const often = { logEvery: 1, picturesEvery: 5, validateEvery: 4, checkpointEvery: 3, scanPoints: 50 };

test('a store that is away holds training up at the next checkpoint; a stop then ends in its grace with the last one', async () => {
  const folder = 'away';
  const configuration = tinyConfiguration({
    storage: { kind: 'directory', path: join(root, folder) },
    checkpoints: { graceSeconds: 0.5 },
  });
  const real = directoryStore(join(root, folder));
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
  assert.equal(result!.checkpoint.modelSha256, undisturbed['coarse-pretraining']!.checkpoint.modelSha256);
});

test('a store that is away when a stage is begun is waited for in its place; a stop meanwhile ends in order', async () => {
  const folder = 'away-at-start';
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, folder) } });
  const real = directoryStore(join(root, folder));
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
  assert.equal(checkpoint.modelSha256, undisturbed['coarse-pretraining']!.checkpoint.modelSha256);
});

test('an attempt that was taken over stops, and harms nothing', async () => {
  const folder = 'zombie';
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, folder) } });
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
  assert.equal(result!.checkpoint.modelSha256, undisturbed['coarse-pretraining']!.checkpoint.modelSha256);
  const withoutFinetuning = (await scalars('undisturbed', 'coarse')).filter((line) => parseInt(line) <= 10);
  assert.deepEqual(await scalars(folder, 'coarse'), withoutFinetuning);
});

test('no step is begun that would cost a kill more than lie between two checkpoints, however slow the store is', async () => {
  const folder = 'slow';
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, folder) } });
  const real = directoryStore(join(root, folder));
  const slow: ObjectStore = {
    ...real,
    put: async (key, body, options) => {
      await sleep(100);
      return real.put(key, body, options);
    },
  };
  let counted = 0;
  let reached = 0;
  await trainStage(
    tinyJob(configuration, 'coarse-pretraining', 'a'),
    (event) => {
      if (event.kind === 'checkpoint') counted = event.checkpoint.step;
    },
    new AbortController().signal,
    {
      store: slow,
      openData: async () => {
        const data = tinyData();
        // Asked for a batch, all steps before have been made.
        const batch = (step: number): ReturnType<typeof data.batch> => {
          reached = Math.max(reached, step + 1 - counted);
          return data.batch(step);
        };
        return { ...data, batch };
      },
    },
  );
  assert.equal(reached, often.checkpointEvery);
});

test('where the weights that a stage starts from were damaged, its forerunner ends again, the same', async () => {
  const folder = 'rotten';
  const store = directoryStore(join(root, folder));
  const configuration = tinyConfiguration({ storage: { kind: 'directory', path: join(root, folder) } });
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
  assert.equal(finetuned.checkpoint.modelSha256, undisturbed['coarse-finetuning']!.checkpoint.modelSha256);
  await damage(finetuned);
  const refined = await train('refinement', 'three');
  assert.equal(refined.checkpoint.modelSha256, undisturbed.refinement!.checkpoint.modelSha256);
  await damage(refined);
  const again = await train('refinement', 'four');
  assert.ok(warnings.some((message) => /The last steps of refinement are trained again/.test(message)));
  assert.equal(again.checkpoint.modelSha256, undisturbed.refinement!.checkpoint.modelSha256);
});
