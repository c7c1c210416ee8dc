/**
 * What saving costs: trains the miniature's networks on synthetic batches, with the miniature's own interval between
 * checkpoints, into an S3 server on this machine, and prints which share of the time went into saving.
 * `node build/bench/checkpoints.js [INTERVALS [STAGE …]]`; stages that are not named are passed in one step.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../configs/load.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import type { TrainingStage } from '../configs/schema/training.js';
import { generateHeadTemplate } from '../miniature/head/headTemplate.js';
import { startObjectStore } from '../infra/services/index.js';
import { openStore } from '../storage/openStore.js';
import type { StageData } from '../training/loop/stageData.js';
import type { LoopMilliseconds } from '../training/loop/machineScalars.js';
import { trainStage } from '../training/process/trainStage.js';
import { syntheticBatch } from './syntheticBatch.js';

const run = 'bench';
const vertices = 320;
const sensor = { height: 480, width: 640 };

const intervals = Number(process.argv[2] ?? 2);
if (!Number.isSafeInteger(intervals) || intervals < 1)
  throw new Error(`${process.argv[2]} is not a number of intervals`);
const wanted = process.argv.slice(3);
const directory = await mkdtemp(join(tmpdir(), 'tempeh-bench-checkpoints-'));
const server = await startObjectStore({ directory, port: 0, bucket: 'bench' });
process.env['AWS_ACCESS_KEY_ID'] = server.credentials.accessKeyId;
process.env['AWS_SECRET_ACCESS_KEY'] = server.credentials.secretAccessKey;
const miniature = await loadConfiguration('miniature');
const storage = { ...miniature.storage, kind: 's3', bucket: 'bench', prefix: '', endpoint: server.endpoint } as const;
try {
  const store = openStore({ forcePathStyle: true, requestChecksums: 'always', region: server.region, ...storage });
  let done = 0;
  for (const stage of ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const) {
    const { checkpointEvery } = miniature.training[stage];
    const measured = wanted.length === 0 || wanted.includes(stage);
    if (stage === 'refinement') done = 0;
    done += measured ? intervals * checkpointEvery + 1 : 1;
    const steps: LoopMilliseconds[] = [];
    const job = { run, stage, configuration: limited(stage, done), attempt: 'bench', workingDirectory: directory };
    await trainStage(job, () => undefined, new AbortController().signal, {
      store,
      openData: async () => syntheticData(stage),
      onStep: (milliseconds) => steps.push(milliseconds),
    });
    if (measured) report(stage, checkpointEvery, steps);
  }
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

/** The miniature's configuration with a stage that ends after so many steps. */
function limited(stage: TrainingStage, iterations: number): RunConfiguration {
  const { training } = miniature;
  return { ...miniature, training: { ...training, [stage]: { ...training[stage], iterations } } };
}

function syntheticData(stage: TrainingStage): StageData {
  const { mesh: template, regions } = generateHeadTemplate(vertices);
  const { imageResizeFactor, scanPoints, batchSize } = miniature.training[stage];
  const batch = syntheticBatch(template, {
    samples: batchSize,
    views: 8,
    height: Math.floor(sensor.height / imageResizeFactor),
    width: Math.floor(sensor.width / imageResizeFactor),
    scanPoints,
  });
  return {
    template,
    regions,
    batch: async (step) => ({ ...batch, step }),
    // Steps alone are what saving is compared with.
    validationBatches: async function* () {},
    bytesRead: () => 0,
    close: async () => undefined,
  };
}

/** The first step warms up, and the last is followed by the save that ends a stage: neither counts. */
function report(stage: TrainingStage, checkpointEvery: number, steps: readonly LoopMilliseconds[]): void {
  const counted = steps.slice(1, -1);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const saves = counted.map(({ save }) => save).filter((save) => save > 1);
  const whole = sum(counted.map((step) => sum(Object.values(step) as number[])));
  const perStep = (whole - sum(saves)) / counted.length;
  const perSave = sum(saves) / saves.length;
  const share = perSave / (perSave + checkpointEvery * perStep);
  process.stdout.write(
    `${stage.padEnd(18)} every ${checkpointEvery} steps of ${perStep.toFixed(1)} ms, ${saves.length} saves of ` +
      `${perSave.toFixed(0)} ms (${saves.map((save) => save.toFixed(0)).join(', ')}): ${(100 * share).toFixed(2)} % of the time\n`,
  );
}
