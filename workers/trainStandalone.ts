import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { loadConfiguration } from '../configs/load.js';
import { trainingStages, type TrainingStage } from '../configs/schema/training.js';
import type { RunConfiguration } from '../configs/schema/run.js';
import { listenForStop } from './lifecycle/stopRequest.js';
import { prepareTensorFlow } from './prepareTensorFlow.js';

/**
 * Trains a stage in this process, without Temporal, without S3: for those who work on the networks and their settings.
 *
 *   node build/workers/trainStandalone.js miniature coarse-pretraining --data FOLDER --store FOLDER [--run NAME] [--set PATH=VALUE …]
 *
 * `--data` is a folder in FaMoS layout. `predictions` in place of a stage predicts the frames that refinement trains on.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    store: { type: 'string' },
    run: { type: 'string', default: 'standalone' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const [file, step] = positionals;
if (!file || !step || !values.data || !values.store) {
  console.error('trainStandalone CONFIGURATION STAGE --data FOLDER --store FOLDER [--run NAME] [--set PATH=VALUE …]');
  process.exit(2);
}
const loaded = await loadConfiguration(file, values.set);
const configuration: RunConfiguration = { ...loaded, storage: { kind: 'directory', path: resolve(values.store) } };
const source = { kind: 'directory', path: resolve(values.data), dataset: configuration.dataset } as const;
const workingDirectory = resolve(values.store, 'work');
const stopping = listenForStop({ endSeconds: configuration.checkpoints.graceSeconds + 10 });
prepareTensorFlow(configuration);

if (isStage(step)) {
  const { trainStandalone } = await import('../training/process/standalone.js');
  const job = { run: values.run, stage: step, configuration, attempt: `standalone-${process.pid}`, workingDirectory };
  await trainStandalone(job, source, stopping.signal);
} else if (step === 'predictions' || step === 'test-predictions') {
  const { predictStandalone } = await import('../inference/standalone.js');
  const job = { run: values.run, configuration, workingDirectory };
  await predictStandalone(job, source, step === 'predictions' ? 'coarse' : 'both', stopping.signal);
} else {
  console.error(`${step} is no stage; expected ${trainingStages.join(', ')}, predictions or test-predictions`);
  process.exit(2);
}

function isStage(name: string): name is TrainingStage {
  return (trainingStages as readonly string[]).includes(name);
}
