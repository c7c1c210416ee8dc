/** Saves a checkpoint of synthetic numbers to an S3 server behind a network of a given rate; prints JSON. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CheckpointStore } from '../../checkpoints/checkpointStore.js';
import { CheckpointKeeper } from '../../checkpoints/keeper/checkpointKeeper.js';
import type { TrainingState } from '../../checkpoints/reading/trainingState.js';
import { loadConfiguration } from '../../configs/load.js';
import { openStore } from '../../storage/openStore.js';
import { startBenchStore } from '../data/startBenchStore.js';
import type { SavingCase, SavingFigures } from './figures.js';
import type { ThrottleStart } from './throttle.js';

const measured = JSON.parse(process.argv[2] ?? '{}') as SavingCase;
const { megabytes, megabytesPerSecond, stepSeconds } = measured;
const graceSeconds = 120;
const directory = await mkdtemp(join(tmpdir(), 'tempeh-bench-saving-'));
const { storage: direct, stop: stopStore } = await startBenchStore(directory);
const start: ThrottleStart = {
  port: Number(new URL(direct.endpoint!).port),
  bytesPerSecond: megabytesPerSecond * 1e6,
};
const throttle = new Worker(new URL('./throttle.js', import.meta.url), { workerData: start });
try {
  const [port] = (await once(throttle, 'message')) as [number];
  const storage = { ...direct, endpoint: `http://127.0.0.1:${port}` };
  const miniature = await loadConfiguration('miniature');
  const configuration = { ...miniature, storage: { ...miniature.storage, ...storage } };
  const stage = 'coarse-pretraining';
  const job = { run: 'saving', stage, configuration, attempt: 'bench' } as const;
  const stopping = new AbortController();
  const keeper = new CheckpointKeeper({
    job,
    checkpoints: await CheckpointStore.claim(openStore(storage), job),
    from: 0,
    last: null,
    onSaved: () => undefined,
    warn: (message) => console.error(message),
    onWaiting: (message) => console.error(message),
    stopping: stopping.signal,
    graceSeconds,
  });
  const saved = syntheticState();
  // The first opens the connections.
  await save(keeper, { ...saved, step: 1 });
  const began = performance.now();
  await keeper.save({ ...saved, step: 2 }, false);
  const copy = since(began);
  await keeper.settled();
  const alone = since(began);
  await keeper.save({ ...saved, step: 3 }, false);
  while (keeper.last?.step !== 3) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stepSeconds * 1000);
    await breathe();
    keeper.throwIfFailed();
  }
  const besideSteps = keeper.saveSeconds!;
  const told = performance.now();
  stopping.abort();
  await save(keeper, { ...saved, step: 4 });
  await keeper.end();
  const figures: SavingFigures = { ...measured, copy, alone, besideSteps, stop: since(told) };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await throttle.terminate();
  await stopStore();
  await rm(directory, { recursive: true, force: true });
}

async function save(keeper: CheckpointKeeper, state: TrainingState): Promise<void> {
  await keeper.save(state, false);
  await keeper.settled();
  if (keeper.last?.step !== state.step) throw new Error(`the checkpoint of step ${state.step} does not count`);
}

/** A third of it is the model, the rest AdamW's moments. */
function syntheticState(): Omit<TrainingState, 'step'> {
  const numbers = Math.floor((megabytes * 1e6) / 12);
  const array = (first: number): { shape: number[]; values: Float32Array } => {
    const values = new Float32Array(numbers);
    for (let i = 0; i < numbers; i++) values[i] = first + i;
    return { shape: [numbers], values };
  };
  return {
    stage: 'coarse-pretraining',
    seed: 1,
    skippedBatches: 0,
    loss: null,
    validationPending: false,
    model: { weight: array(1) },
    optimizer: { 'weight.exp_avg': array(2), 'weight.exp_avg_sq': array(3) },
  };
}

function since(began: number): number {
  return (performance.now() - began) / 1000;
}
