import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { EvaluationSummary } from '../../activities/types.js';
import { planShards } from '../../activities/predictions/predictionShards.js';
import { finishedModel } from '../../checkpoints/reading/finalModel.js';
import { progressLines } from '../../cli/runs/watching/progressLines.js';
import { connectClient } from '../../client/connection/client.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { startRun } from '../../client/runs/runs.js';
import { loadConfiguration } from '../../configs/load.js';
import { evaluateRun } from '../../evaluation/evaluateRun.js';
import { shardsOf } from '../../evaluation/shards.js';
import type { Evaluation } from '../../evaluation/types.js';
import { startTemporal } from '../../infra/services/index.js';
import { openStore } from '../../storage/openStore.js';
import { keys } from '../../storage/keys.js';
import { putJson } from '../activities/support/store.js';
import { manifestWith } from '../checkpoints/checkpointFixtures.js';
import { storePredictedRun, testFrames } from '../evaluation/predictedRun.js';
import { startTestS3 } from '../support/servers/s3.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { dataWorker, killDataWorkers, killed } from './support/dataWorkers.js';

const root = temporaryFolder();
const framesPerShard = 3;
/** Of each scan: a frame takes long enough to be killed in. */
const points = 30_000;
after(killDataWorkers);

test('a data worker that is killed in an evaluation costs the shard that it was at: another measures that and the rest, and the figures are the same', async () => {
  const s3 = await startTestS3();
  const temporal = await startTemporal({ directory: join(root, 'temporal'), port: 0, uiPort: 0, modest: true });
  const client = await connectClient(temporal);
  const environment = {
    ...s3.environment,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPEH_STORES: s3.configuration.endpoint!,
  };
  try {
    const configuration = await loadConfiguration('miniature', [
      `storage.bucket=${s3.configuration.bucket}`,
      `storage.endpoint=${s3.configuration.endpoint}`,
      ...['dataset.name=heads', `predictions.framesPerShard=${framesPerShard}`],
      'supervision.progressTimeoutSeconds=5',
    ]);
    const store = openStore(configuration.storage);
    const [run, beside] = ['killed', 'undisturbed'];
    await storePredictedRun(store, { dataset: 'heads', runs: [run, beside], points });
    await evaluateRun({ store, run: beside, configuration });
    // Both models are trained, and the test set is predicted.
    const model = { step: 10, modelSha256: 'a'.repeat(64) };
    const coarse = { checkpoints: [[10, 'coarse-finetuning']], finished: { 'coarse-finetuning': model } } as const;
    await putJson(store, keys.manifest(run, 'coarse'), manifestWith(run, 'coarse', coarse));
    const refined = { checkpoints: [[10, 'refinement']], finished: { refinement: model } } as const;
    await putJson(store, keys.manifest(run, 'refinement'), manifestWith(run, 'refinement', refined));
    const stages = ['coarse-finetuning', 'refinement'] as const;
    const models = await Promise.all(stages.map((stage) => finishedModel(store, run, stage)));
    for (const { index, from, to } of (await planShards(store, run, configuration, 'test')).shards) {
      await putJson(store, keys.predictionShard(run, index), { from, to, models, done: true });
    }
    const stored = async (): Promise<ReadonlyMap<string, string>> => {
      const found = new Map<string, string>();
      for await (const { key, modified } of store.list(keys.evaluationShards(run))) {
        found.set(key, modified.toISOString());
      }
      return found;
    };

    const first = await dataWorker(join(root, 'first'), environment);
    await startRun(client, { run, configuration, steps: ['evaluation'] });
    const shards = shardsOf(testFrames.length, configuration).length;
    const before = await waitFor('some shards', async () => {
      const found = await stored();
      return found.size >= 2 ? found : undefined;
    });
    await killed(first);
    const left = shards - (await stored()).size;
    assert.ok(left > 1, `${left} of ${shards} were left`);

    await dataWorker(join(root, 'second'), environment);
    const seen = new Set<string>();
    const watching = waitFor('the figures', async () => {
      const description = await describeRun(client, run);
      for (const line of progressLines(description)) if (line.includes('measuring')) seen.add(line);
      return description.status === 'RUNNING' ? undefined : description.status;
    });
    assert.equal(await watching, 'COMPLETED');
    const summary = (await client.workflow.getHandle(`${run}/evaluation`).result()) as EvaluationSummary;
    // None where it was killed between two of them.
    const failures = summary.interruptions?.failures ?? 0;
    assert.ok(failures <= 1, `the shard that it was at, and no other: ${failures}`);
    assert.match([...seen].join('\n'), /measuring\s+\d+ of 23 test frames\s+\d+ s left/);
    const after = await stored();
    assert.equal(after.size, shards);
    for (const [key, modified] of before) assert.equal(after.get(key), modified, `${key} was measured once`);

    const read = async (of: string): Promise<Evaluation> =>
      JSON.parse(Buffer.from((await store.get(keys.evaluation(of))).body).toString()) as Evaluation;
    assert.deepEqual({ ...(await read(run)), run: beside }, await read(beside));
  } finally {
    await client.connection.close();
    await temporal.stop();
    await s3.stop();
  }
});
