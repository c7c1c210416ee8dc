import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { listRuns } from '../../client/runs/listRuns.js';
import { startRun } from '../../client/runs/runs.js';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { startTestTemporal } from './support/temporal.js';
import { waitFor } from './support/waitFor.js';

const temporal = await startTestTemporal();
after(() => temporal.stop());

test('a list gives no stage the iteration that the one before it came to', async () => {
  const { client } = temporal;
  const usual = testActivities([]);
  const stageProgress = { step: 5000, totalSteps: 300_000, loss: 1.5, stepsPerSecond: 10, checkpointStep: 5000 };
  const rest = { bytesRead: 0, bytesWritten: 0, skippedBatches: 0 };
  const inSecond = { began: false, isSeen: false };
  const activities = testActivities([], {
    findDataset: async () => packed,
    trainStage: async (input) => {
      if (input.stage === 'coarse-finetuning') {
        inSecond.began = true;
        await waitFor('a look at the list', async () => (inSecond.isSeen ? true : undefined));
        return usual.trainStage(input);
      }
      const first = client.workflow.getHandle('second/coarse-pretraining');
      await first.signal('stageProgress', { stage: input.stage, ...stageProgress, ...rest });
      await waitFor('the report of the first', async () => {
        const { searchAttributes } = await client.workflow.getHandle('second').describe();
        return searchAttributes['TempehStep']?.[0] === 5000 ? true : undefined;
      });
      return usual.trainStage(input);
    },
  });
  await temporal.withWorkers(activities, 'all', async () => {
    const steps = ['dataset', 'coarse-pretraining', 'coarse-finetuning'] as const;
    await startRun(client, { run: 'second', configuration: testConfiguration(), steps });
    await waitFor('the second stage', async () => (inSecond.began ? true : undefined));
    const [run] = await waitFor('the list', async () => {
      const runs = await listRuns(client, 50, { stage: 'coarse-finetuning' });
      return runs.length > 0 ? runs : undefined;
    });
    assert.deepEqual([run?.run, run?.step], ['second', null]);
    inSecond.isSeen = true;
    await client.workflow.getHandle('second').result();
  });
});
