import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { DataInput } from '../../activities/types.js';
import { datasetFailures } from '../../configs/temporal.js';
import { describeRun } from '../../client/runs/describeRun.js';
import { startFetch } from '../../client/fetches.js';
import { resumeRun } from '../../client/runs/runs.js';
import { packed, testActivities } from './support/activities.js';
import { testConfiguration } from './support/configuration.js';
import { replayAll } from './support/replay.js';
import { startTestTemporal } from './support/temporal.js';

const temporal = await startTestTemporal();
const { client } = temporal;
after(() => temporal.stop());

/** A fetch of two bundles. */
function fetchInput(run: string, change: { store?: boolean; frames?: boolean } = {}): DataInput {
  const { dataset, storage, supervision } = testConfiguration();
  const { store = false, frames = true } = change;
  const none = { train: null, validation: null, test: null, template: null, vertexMasks: null };
  const layout = frames ? { ...dataset.layout, train: null, template: null, vertexMasks: null } : none;
  return { run, configuration: { dataset: { ...dataset, layout }, supervision, storage: store ? storage : null } };
}

async function resultOf(input: DataInput, calls: string[]): Promise<unknown> {
  return temporal.withWorkers(testActivities(calls), 'data', async () => {
    await startFetch(client, input);
    return (await client.workflow.getHandle(input.run).result()) as unknown;
  });
}

const fetched = [
  'claimDataWorker',
  'proveData',
  'fetchBundle first',
  'fetchBundle second',
  'extractBundle first',
  'extractBundle second',
];

test('into folders: fetched and extracted, nothing else', async () => {
  const calls: string[] = [];
  const result = await resultOf(fetchInput('fetch-folders'), calls);
  assert.deepEqual(result, { kind: 'folders', bundles: ['first', 'second'] });
  assert.deepEqual(calls.sort(), fetched.sort());
});

test('into the object store: frames are packed unless they are there, other files stored as they are', async () => {
  const calls: string[] = [];
  assert.deepEqual(await resultOf(fetchInput('fetch-frames', { store: true }), calls), {
    kind: 'dataset',
    dataset: packed,
  });
  assert.deepEqual(calls.sort(), [...fetched, 'findDataset', 'packDataset'].sort());

  const others: string[] = [];
  const result = await resultOf(fetchInput('fetch-weights', { store: true, frames: false }), others);
  const stored = ['first', 'second'].map((bundle) => ({ prefix: `published/${bundle}`, files: 2, bytes: 2 }));
  assert.deepEqual(result, { kind: 'files', stored });
  assert.deepEqual(others.sort(), [...fetched, 'packFiles first', 'packFiles second'].sort());

  const there: string[] = [];
  await temporal.withWorkers(testActivities(there, { findDataset: async () => packed }), 'data', async () => {
    await startFetch(client, fetchInput('fetch-there', { store: true }));
    await client.workflow.getHandle('fetch-there').result();
  });
  assert.deepEqual(there, ['findDataset']);
});

test('a fetch that failed says why, and is resumed as a fetch', async () => {
  const calls: string[] = [];
  let refuse = true;
  const activities = testActivities(calls, {
    fetchBundle: async ({ bundle }) => {
      if (refuse) throw ApplicationFailure.nonRetryable('The password is wrong.', 'CredentialsRefused');
      return { bundle, files: 1, bytes: 1, fetchedBytes: 1 };
    },
    extractBundle: async ({ bundle }) => {
      // Once, a volume is gone.
      if (calls.filter((call) => call === `extractBundle ${bundle}`).length === 1 && bundle === 'second') {
        throw ApplicationFailure.nonRetryable('v.zip.003 is damaged.', datasetFailures.volumeMissing);
      }
      return { bundle, files: 1, bytes: 1 };
    },
  });
  await temporal.withWorkers(activities, 'data', async () => {
    await startFetch(client, fetchInput('fetch-resumed'));
    await assert.rejects(client.workflow.getHandle('fetch-resumed').result());
    const { status, failure } = await describeRun(client, 'fetch-resumed');
    assert.deepEqual([status, failure], ['FAILED', 'The password is wrong.']);
    refuse = false;
    await resumeRun(client, 'fetch-resumed');
    assert.deepEqual(await client.workflow.getHandle('fetch-resumed').result(), {
      kind: 'folders',
      bundles: ['first', 'second'],
    });
    assert.equal(calls.filter((call) => call === 'fetchBundle second').length, 2);
  });
});

test('what ran here replays', async () => {
  assert.deepEqual((await replayAll(client)).errors, []);
});
