import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { TrainingStage } from '../../configs/schema/training.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { readDatasetIndex } from '../../datasets/index/openIndex.js';
import type { FrameId, Split } from '../../datasets/types.js';
import { predictFrames } from '../../inference/predictFrames.js';
import { PredictionStopped } from '../../inference/stopped.js';
import type { PredictionJob, PredictionResult, PredictorEvent } from '../../inference/protocol.js';
import { directoryStore } from '../../storage/directory/directoryStore.js';
import { frameLocaliserPath, frameMeshPath, keys } from '../../storage/keys.js';
import { StoreUnavailable, type ObjectStore } from '../../storage/types.js';
import { StageNotFinished } from '../../checkpoints/errors.js';
import { trainStage } from '../../training/process/trainStage.js';
import { startChildWork } from '../support/processes/childWork.js';
import { packTinyDataset } from '../support/tiny/tinyDataset.js';
import { tinyConfiguration, tinyJob } from '../training/stages/tinyStage.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const root = temporaryFolder();
const store = directoryStore(root);

const stage = { scanPoints: 50, checkpointEvery: 100, validateEvery: 100, picturesEvery: 100 };
const configuration = tinyConfiguration({
  storage: { kind: 'directory', path: root },
  training: {
    'coarse-pretraining': { ...stage, iterations: 2 },
    'coarse-finetuning': { ...stage, iterations: 3 },
    refinement: { ...stage, iterations: 2 },
  },
});
const run = 'tiny';
const workingDirectory = join(root, 'work');
const never = new AbortController().signal;
let frames: Record<Split, readonly FrameId[]>;

function job(stages: PredictionJob['stages'], splits: readonly Split[]): PredictionJob {
  const wanted = splits.flatMap((split) => frames[split].map((id) => ({ split, id })));
  return { run, configuration, stages, frames: wanted, workingDirectory };
}

async function train(name: TrainingStage): Promise<void> {
  await trainStage({ ...tinyJob(configuration, name, 'one'), workingDirectory }, () => undefined, never);
}

function meshKey(prefix: string, id: FrameId): string {
  return `${prefix}/${frameMeshPath(id)}`;
}

async function mesh(key: string): Promise<Float32Array> {
  return parsePly((await store.get(key)).body, key).vertices;
}

before(
  async () => {
    await packTinyDataset(store);
    const { splits } = await readDatasetIndex(store, configuration.dataset.name);
    const idsOf = (split: Split): FrameId[] => splits[split].map(({ id }) => id);
    frames = { train: idsOf('train'), validation: idsOf('validation'), test: idsOf('test') };
  },
  { timeout: 120_000 },
);

test('without trained models there is nothing to predict with', async () => {
  await assert.rejects(
    predictFrames(job('coarse', ['train']), () => undefined, never),
    StageNotFinished,
  );
});

test(
  'coarse predictions are meshes in metres of the training and validation frames, on which refinement trains',
  { timeout: 120_000 },
  async () => {
    await train('coarse-pretraining');
    await train('coarse-finetuning');
    const result = await predictFrames(job('coarse', ['train', 'validation']), () => undefined, never);
    assert.deepEqual([result.predicted, result.skipped, result.failures], [8, 0, []]);
    const vertices = await mesh(meshKey(keys.predictions(run), frames.train[0]!));
    assert.equal(vertices.length, 3 * 150);
    assert.ok(
      vertices.every((coordinate) => Math.abs(coordinate) < 1),
      'metres',
    );
    await train('refinement');
  },
);

test('test frames get both meshes and the place where the localiser believes the head to be', async () => {
  const events: PredictorEvent[] = [];
  const result = await predictFrames(job('both', ['test']), (event) => events.push(event), never);
  assert.equal(result.predicted, 2);
  const last = events.at(-1);
  assert.ok(last?.kind === 'progress' && last.progress.done === 2 && last.progress.total === 2);
  const id = frames.test[0]!;
  const coarse = await mesh(meshKey(keys.testPredictions(run, 'coarse'), id));
  const refined = await mesh(meshKey(keys.testPredictions(run, 'refinement'), id));
  const { gridSide, gridSpacing } = configuration.model.refinement;
  const reach = (Math.sqrt(3) * gridSide * gridSpacing) / 2 / 1000;
  let moved = 0;
  for (let i = 0; i < coarse.length; i++) moved = Math.max(moved, Math.abs(coarse[i]! - refined[i]!));
  assert.ok(moved > 0 && moved <= reach, `${moved} m of at most ${reach} m`);
  const placeKey = `${keys.testPredictions(run, 'coarse')}/${frameLocaliserPath(id)}`;
  const place = JSON.parse(Buffer.from((await store.get(placeKey)).body).toString()) as Record<string, number[]>;
  const [x, y, z] = place['centre']!;
  // Hardly trained, the localiser leaves the grid near the volume's centre (mm), at scale 0.4.
  assert.ok(Math.hypot(x!, y! + 50, z!) < 50, String(place['centre']));
  assert.ok(
    place['scales']!.every((scale) => Math.abs(scale - 0.4) < 0.05),
    String(place['scales']),
  );
  const rotation = place['rotation']!;
  const length = Math.hypot(rotation[0]!, rotation[1]!, rotation[2]!);
  assert.ok(rotation.length === 9 && Math.abs(length - 1) < 1e-4, String(rotation));
});

test('what is there is skipped; what is missing comes out the same again', async () => {
  const again = await predictFrames(job('both', ['test']), () => undefined, never);
  assert.deepEqual([again.predicted, again.skipped], [0, 2]);
  const key = meshKey(keys.testPredictions(run, 'refinement'), frames.test[1]!);
  const before = (await store.get(key)).body;
  await store.delete([key]);
  const repaired = await predictFrames(job('both', ['test']), () => undefined, never);
  assert.deepEqual([repaired.predicted, repaired.skipped], [1, 1]);
  assert.deepEqual((await store.get(key)).body, before);
});

test('a frame that cannot be read is reported; the others are predicted', async () => {
  const unknown = { subject: 'nobody', sequence: 'none', frame: '000001' };
  const plain = job('coarse', ['test']);
  const asked = { ...plain, frames: [{ split: 'test' as const, id: unknown }, ...plain.frames] };
  const result = await predictFrames(asked, () => undefined, never);
  assert.equal(result.predicted, 2);
  assert.deepEqual(
    result.failures.map(({ id }) => id),
    [unknown],
  );
  assert.match(result.failures[0]!.reason, /not in the test list/);
});

async function forget(prefix: string): Promise<void> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  await store.delete(found);
}

test('stopped in between, it goes on where it was', async () => {
  await forget(`${keys.predictions(run)}/`);
  const stopping = new AbortController();
  const stopAtFirst = (event: PredictorEvent): void => {
    if (event.kind === 'progress') stopping.abort('enough');
  };
  await assert.rejects(predictFrames(job('coarse', ['train']), stopAtFirst, stopping.signal), PredictionStopped);
  const { predicted, skipped } = await predictFrames(job('coarse', ['train']), () => undefined, never);
  assert.ok(skipped >= 1 && predicted + skipped === 6, `${predicted} predicted, ${skipped} skipped`);
});

test('a store that is away while a mesh is written is waited for, and no frame is predicted twice', async () => {
  await forget(`${keys.predictions(run)}/`);
  let puts = 0;
  const away: ObjectStore = {
    ...store,
    put: async (key, body, options) => {
      if (++puts === 2) throw new StoreUnavailable(`Could not write ${key}: 503 Slow Down`);
      return store.put(key, body, options);
    },
  };
  const said: string[] = [];
  const listen = (event: PredictorEvent): void => {
    if (event.kind === 'waiting') said.push(event.message);
  };
  const result = await predictFrames(job('coarse', ['train']), listen, never, { store: away });
  assert.deepEqual([result.predicted, puts], [6, 7]);
  assert.match(said[0]!, /^Writing runs\/tiny\/predictions\/.* failed, and is tried again in 1 s: .*503/);
  assert.match(said.at(-1)!, /answers again/);
});

test('the predictor process predicts its shard, reports the result, and exits', { timeout: 60_000 }, async () => {
  await forget(`${keys.predictions(run)}/`);
  const start = { kind: 'predict', job: job('coarse', ['validation']) };
  const predictor = startChildWork<PredictorEvent>('workers/predictor.js', start);
  const event = await predictor.seen(({ kind }) => kind === 'finished');
  assert.ok(event.kind === 'finished');
  const { predicted, skipped, failures }: PredictionResult = event.result;
  assert.deepEqual([predicted, skipped, failures], [2, 0, []]);
  assert.equal(await predictor.ended, 0);
});
