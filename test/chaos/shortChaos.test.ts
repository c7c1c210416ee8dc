import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { finishedModel } from '../../checkpoints/reading/finalModel.js';
import type { TrainerEvent } from '../../training/process/protocol.js';
import { startRun } from '../../client/runs/runs.js';
import { startChildWork } from '../support/processes/childWork.js';
import { Cluster } from './cluster/cluster.js';
import { eventsOf } from './compareRuns.js';
import type { Event } from './faults/schedule.js';
import { chaosMiniature } from './chaosMiniature.js';
import { strikeAll, tooManyRepeated, type Strike } from './faults/strikes.js';
import { trainingFaults } from './faults/trainingFaults.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** What strikes, in this order, a checkpoint's interval apart: a `npm run chaos` of a minute. */
const wanted = [
  'trainer killed inside the manifest put, which does not arrive',
  'credentials expire, renewed after 4 s',
  'trainer killed between claim and first step',
  "the manifest put's answer is lost",
  "trainer killed in retention's deletion",
];
const fewFrames = {
  ...chaosMiniature,
  subjects: { train: 3, validation: 1, test: 1 },
  framesPerSequence: { train: 4, validation: 2, test: 2 },
};
const stages = ['coarse-pretraining', 'coarse-finetuning'] as const;
const every = 10;
// Bits depend on the number of threads: here all have one.
process.env['TF_NUM_INTRAOP_THREADS'] = '1';

/** Both stages of the coarse model, in one process after the other that nothing disturbs. */
async function trainUndisturbed(cluster: Cluster, configuration: RunConfiguration, directory: string): Promise<void> {
  for (const stage of stages) {
    const job = { run: 'undisturbed', stage, configuration, attempt: 'a', workingDirectory: directory };
    const { endpoint } = cluster.s3;
    const work = startChildWork<TrainerEvent>(
      'workers/trainer.js',
      { kind: 'train', job },
      { AWS_ENDPOINT_URL_S3: endpoint },
    );
    await work.seen(({ kind }) => kind === 'finished');
    await work.ended;
  }
}

test(
  'kills at bad moments, an expired session and lost answers leave weights and events as they would have been',
  {
    timeout: 300_000,
  },
  async () => {
    const directory = temporaryFolder();
    const loaded = await loadConfiguration(join(packageRoot, 'test', 'chaos', 'chaos.yaml'), [
      'training.coarse-pretraining.iterations=40',
      'training.coarse-finetuning.iterations=75',
    ]);
    const options = { directory, configuration: loaded, miniature: fewFrames, gpuWorkers: 2 };
    const cluster = await Cluster.start('disturbed', options);
    try {
      const { client, store, run, configuration } = cluster;
      await startRun(client, { run, configuration, steps: ['dataset', ...stages] });
      const planned = wanted.map((name, index): Event => {
        const fault = trainingFaults.find((known) => known.name === name);
        assert.ok(fault !== undefined, name);
        const step = 1.2 * every * (1 + index);
        return { kind: 'training', planned: { fault, stage: step < 40 ? stages[0] : stages[1], step, seed: index } };
      });
      const strikes: Strike[] = [];
      const ending = new AbortController();
      const scene = { cluster, ended: ending.signal, choose: () => 0, wanted: configuration };
      const ended = client.workflow
        .getHandle(run)
        .result()
        .finally(() => ending.abort());
      await Promise.all([
        ended,
        strikeAll(scene, Date.now(), { planned, configuration, report: () => undefined }, strikes),
      ]);
      assert.deepEqual(
        strikes.map(({ name }) => name),
        wanted,
      );
      assert.deepEqual(tooManyRepeated(strikes, cluster.journal.steps, configuration), []);

      await trainUndisturbed(cluster, configuration, join(directory, 'undisturbed'));
      for (const stage of stages) {
        const [found, expected] = await Promise.all(
          [run, 'undisturbed'].map((name) => finishedModel(store, name, stage)),
        );
        assert.equal(found, expected, `weights of ${stage}`);
      }
      const [found, expected] = await Promise.all([run, 'undisturbed'].map((name) => eventsOf(store, name, 'coarse')));
      assert.deepEqual(found!.problems, []);
      assert.deepEqual(found!.events, expected!.events);
    } finally {
      await cluster.stop();
    }
  },
);
