import type { DataActivities, DataWorkerActivities, DatasetSummary, GpuActivities } from '../../../activities/types.js';

export const ownQueue = 'tempeh-data/test-worker';

export type TestActivities = DataActivities & DataWorkerActivities & GpuActivities;

export const packed: DatasetSummary = {
  name: 'heads',
  frames: { train: 8, validation: 2, test: 4 },
  unusable: 1,
  vertexCount: 100,
  bytes: 1e6,
};

/**
 * Activities that do no more than answer, and write down that they were called: what is tested is who calls them, when,
 * and what the workflows make of what they do. A test replaces those that it is about.
 */
export function testActivities(calls: string[], replaced: Partial<TestActivities> = {}): TestActivities {
  const activities: TestActivities = {
    prepareRun: async () => {},
    extendStage: async () => {},
    findDataset: async () => null,
    claimDataWorker: async () => ownQueue,
    proveData: async () => {},
    fetchBundle: async ({ bundle }) => ({ bundle, files: 1, bytes: 1, fetchedBytes: 1 }),
    extractBundle: async ({ bundle }) => ({ bundle, files: 1, bytes: 1 }),
    packDataset: async () => packed,
    packFiles: async ({ bundle }) => ({ prefix: `published/${bundle}`, files: 2, bytes: 2 }),
    trainStage: async ({ stage, configuration }) => {
      const step = configuration.training[stage].iterations;
      return { stage, step, loss: 0.5, checkpoint: { step, key: 'k', modelSha256: 'a' }, seconds: 1 };
    },
    planPredictions: async ({ purpose }) => ({
      frames: purpose === 'test' ? 4 : 10,
      shards: purpose === 'test' ? [{ index: 2, purpose, from: 0, to: 4 }] : [{ index: 1, purpose, from: 5, to: 10 }],
    }),
    predictShard: async ({ shard }) => ({ predicted: shard.to - shard.from, skipped: 0, failures: [], seconds: 1 }),
    planFolderPrediction: async ({ job: { list } }) => ({ frames: list.to, shards: [{ from: 0, to: list.to }] }),
    predictFolderShard: async ({ job: { list } }) => {
      return { predicted: list.to - list.from, skipped: 0, failures: [], seconds: 1 };
    },
    noteFailedFrames: async () => {},
    branchMember: async () => ({}),
    storeSeries: async () => {},
    reportSeries: async () => {},
    notify: async () => {},
    planEvaluation: async () => ({ token: 't', frames: 4, shards: [{ index: 0, from: 0, to: 4 }] }),
    evaluateShard: async () => ({}),
    evaluate: async ({ run }) => ({ version: 1, run, frames: 4, subjects: ['a'], methods: [] }),
    ...replaced,
  };
  const detail = (input: object | undefined) => {
    if (input === undefined) return '';
    if ('bundle' in input) return ` ${String(input.bundle)}`;
    if ('stage' in input) return ` ${String(input.stage)}`;
    if ('purpose' in input) return ` ${String(input.purpose)}`;
    if ('shard' in input) return ` ${(input.shard as { index: number }).index}`;
    return '';
  };
  const recorded = Object.entries(activities).map(([name, activity]) => [
    name,
    (input?: object) => {
      // Told beside the work, at no certain place among the other calls.
      if (name !== 'notify') calls.push(name + detail(input));
      return (activity as (input?: object) => Promise<unknown>)(input);
    },
  ]);
  return Object.fromEntries(recorded) as TestActivities;
}
