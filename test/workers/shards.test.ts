import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { planShards } from '../../activities/predictions/predictionShards.js';
import { startRun } from '../../client/runs/runs.js';
import type { IndexedFrame } from '../../datasets/types.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import { runGpuWorker } from '../../workers/gpuWorker.js';
import type { PredictionSummary } from '../../workflows/types.js';
import { putJson } from '../activities/support/store.js';
import { manifestWith } from '../checkpoints/checkpointFixtures.js';
import { writeDatasetIndex } from '../support/singleFileIndex.js';
import { testActivities } from '../workflows/support/activities.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal } from '../workflows/support/temporal.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

const [shards, framesPerShard] = [4, 250];
const object = { key: 'images.tar', size: 1, sha256: 'a'.repeat(64) };

test('shards whose frames all fail leave little in the history: their reasons lie in the object store', async () => {
  const path = temporaryFolder();
  const storage = { kind: 'directory', path } as const;
  const store = openStore(storage);
  const configuration = testConfiguration({ storage, seed: 7, predictions: { framesPerShard } });
  const train = Array.from({ length: shards * framesPerShard }, (_, i): IndexedFrame => {
    const id = { subject: 's', sequence: 'q', frame: String(i).padStart(6, '0') };
    return { id, images: object, calibrations: [], scan: null, registration: null };
  });
  const head = { name: 'heads', storedResizeFactor: 4, imageExtension: 'png', vertexCount: 5 };
  const splits = { train, validation: [], test: [] };
  const index = { version: 2 as const, ...head, template: null, vertexMasks: null, unusable: [], splits };
  await store.put(keys.datasetIndex('heads'), writeDatasetIndex(index));
  const finished = { 'coarse-finetuning': { step: 10, modelSha256: 'a'.repeat(64) } };
  const manifest = manifestWith('failing', 'coarse', { checkpoints: [[10, 'coarse-finetuning']], finished });
  await putJson(store, keys.manifest('failing', 'coarse'), manifest);

  const stop = new AbortController();
  const activities = testActivities([], {
    prepareRun: async () => putJson(store, keys.runConfiguration('failing'), configuration),
    planPredictions: ({ run, configuration: planned, purpose }) => planShards(store, run, planned, purpose),
  });
  const worker = runGpuWorker({
    temporal: temporal.settings,
    directory: temporaryFolder(),
    environment: { TEMPEH_FOLDERS: path },
    predictorModule: fileURLToPath(new URL('./support/failingPredictor.js', import.meta.url)),
    signal: stop.signal,
    writeLog: () => {},
  });
  const handle = temporal.client.workflow.getHandle('failing/predictions');
  try {
    await temporal.withWorkers(activities, 'data', async () => {
      await startRun(temporal.client, { run: 'failing', configuration, steps: ['predictions'] });
      const { failures } = (await handle.result()) as PredictionSummary;
      assert.equal(failures, shards * framesPerShard, 'all are counted');
    });
  } finally {
    stop.abort();
    await worker;
  }
  const marker = JSON.parse(Buffer.from((await store.get(keys.predictionShard('failing', 1))).body).toString()) as {
    failures: { id: { frame: string }; reason: string }[];
  };
  assert.equal(marker.failures.length, framesPerShard);
  assert.equal(marker.failures[0]?.id.frame, '000250');
  assert.match(marker.failures[0].reason, /seed 7/, 'the configuration came from the store');

  const history = await handle.fetchHistory();
  const sizes = (history.events ?? []).map(
    (event) => proto.temporal.api.history.v1.HistoryEvent.encode(event).finish().length,
  );
  const first = (history.events ?? []).findIndex(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'predictShard',
  );
  const perShard = sizes.slice(first).reduce((sum, size) => sum + size, 0) / shards;
  assert.ok(1000 * perShard < 5e6, `1,000 shards would come to ${(perShard / 1000).toFixed(1)} MB`);
});
