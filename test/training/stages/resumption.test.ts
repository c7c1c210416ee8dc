import '../../support/processes/deterministicOperations.js';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { StageStopped } from '../../../training/errors.js';
import { openStageData } from '../../../training/process/openStageData.js';
import type { StageResult } from '../../../training/process/protocol.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { packTinyDataset } from '../../support/tiny/tinyDataset.js';
import { tinyConfiguration } from './tinyStage.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

/** Real frames through real loader threads: six of them, two a batch, so that an epoch has three steps. */
const root = temporaryFolder();
const store = directoryStore(root);
await packTinyDataset(store);

const stepsAnEpoch = 3;
const configuration = tinyConfiguration({ storage: { kind: 'directory', path: root } });

interface Attempt {
  readonly result: StageResult | null;
  /** `STEP: FRAME …`, as they were trained on, in their order. */
  readonly batches: string[];
}

/** One attempt, on a worker whose cache is its own; it is stopped after `stopAfter` further steps. */
async function attempt(
  run: string,
  name: string,
  stopAfter = Infinity,
  { threads = 1, iterations = 10 }: { readonly threads?: number; readonly iterations?: number } = {},
): Promise<Attempt> {
  const stopping = new AbortController();
  const asked: string[] = [];
  const batches: string[] = [];
  const job = {
    run,
    stage: 'coarse-pretraining',
    configuration: {
      ...configuration,
      loader: { ...configuration.loader, threads },
      training: {
        ...configuration.training,
        'coarse-pretraining': { ...configuration.training['coarse-pretraining'], iterations },
      },
    },
    attempt: name,
    workingDirectory: join(root, 'workers', `${run}-${name}`),
  } as const;
  try {
    const result = await trainStage(job, () => undefined, stopping.signal, {
      openData: async (trained, listener) => {
        const data = await openStageData(trained, listener);
        const batch = async (step: number): ReturnType<typeof data.batch> => {
          const found = await data.batch(step);
          const frames = found.frames.map(({ subject, sequence, frame }) => `${subject}/${sequence}/${frame}`);
          asked.push(`${step}: ${frames.join(' ')} by ${found.viewNames.join(' ')}`);
          return found;
        };
        return { ...data, batch, bytesRead: () => data.bytesRead(), close: () => data.close() };
      },
      onStep: () => {
        // The next step's batch is asked for before this one is done.
        batches.push(asked[batches.length]!);
        if (batches.length === stopAfter) stopping.abort('enough');
      },
    });
    return { result, batches };
  } catch (cause) {
    if (!(cause instanceof StageStopped)) throw cause;
    return { result: null, batches };
  }
}

let undisturbed: Attempt;

test('an epoch has every frame once, and the next ones have other orders', { timeout: 60_000 }, async () => {
  undisturbed = await attempt('undisturbed', 'one');
  const frames = undisturbed.batches.map((line) => line.split(' by ')[0]!.split(' ').slice(1));
  const epochs = [0, 1, 2].map((epoch) => frames.slice(epoch * stepsAnEpoch, (epoch + 1) * stepsAnEpoch).flat());
  for (const epoch of epochs) assert.equal(new Set(epoch).size, 2 * stepsAnEpoch);
  assert.equal(new Set(epochs.map((epoch) => epoch.join())).size, 3);
});

for (const [what, stops, threads] of [
  ['twice within an epoch', [1, 1], [1, 1, 1]],
  ["at an epoch's boundary, and across it", [3, 2, 2], [1, 1, 1, 1]],
  ['in the second and the third epoch', [4, 3, 1], [1, 1, 1, 1]],
  ['with another number of loader threads each time', [2, 2, 3], [3, 1, 2, 4]],
] as const) {
  test(`resumed ${what}, on another worker each time: frames in their order, and weights to the bit`, async () => {
    const run = `resumed-${what.replaceAll(/[^a-z]+/g, '-')}`;
    const batches: string[] = [];
    let result: StageResult | null = null;
    for (const [i, stopAfter] of [...stops, Infinity].entries()) {
      const outcome = await attempt(run, `worker-${i}`, stopAfter, { threads: threads[i]! });
      batches.push(...outcome.batches);
      ({ result } = outcome);
    }
    assert.deepEqual(batches, undisturbed.batches);
    assert.equal(result?.checkpoint.modelSha256, undisturbed.result?.checkpoint.modelSha256);
    assert.equal(result?.loss, undisturbed.result?.loss);
  });
}

for (const [what, stops] of [
  ['when it had ended', [{ iterations: 4 }]],
  [
    'while it trained, twice',
    [
      { iterations: 5, stopAfter: 2 },
      { iterations: 7, stopAfter: 4 },
    ],
  ],
] as const) {
  test(`extended ${what}: the weights of a run that was meant to be as long from its start, to the bit`, async () => {
    const run = `extended-${what.replaceAll(/[^a-z]+/g, '-')}`;
    const batches: string[] = [];
    for (const [i, { iterations, ...stop }] of stops.entries()) {
      const outcome = await attempt(run, `worker-${i}`, 'stopAfter' in stop ? stop.stopAfter : Infinity, {
        iterations,
      });
      batches.push(...outcome.batches);
    }
    const { result, batches: last } = await attempt(run, 'last');
    assert.deepEqual([...batches, ...last], undisturbed.batches);
    assert.equal(result?.checkpoint.modelSha256, undisturbed.result?.checkpoint.modelSha256);
  });
}
