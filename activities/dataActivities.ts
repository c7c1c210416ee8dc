import { Context } from '@temporalio/activity';
import { ensureBranch } from '../checkpoints/branching/branchRun.js';
import type { StorageConfiguration } from '../configs/schema/storage.js';
import { findIndex } from '../datasets/index/openIndex.js';
import { placeOf } from '../datasets/reader/inPlace.js';
import { writeSeriesReport } from '../report/seriesReport.js';
import { patientStore } from '../storage/wrappers/patientStore.js';
import type { ObjectStore, StoreListener } from '../storage/types.js';
import { sendNotice, type NoticeHook } from './notices/noticeHook.js';
import { createEvaluationActivities } from './evaluationActivities.js';
import { summariseDataset } from './datasetSummary.js';
import { underWay } from './failures.js';
import { understood } from './waiting/interruptible.js';
import { planShards } from './predictions/predictionShards.js';
import { checkAndStoreSeries } from './runs/storeSeries.js';
import { checkAndStoreExtension, checkAndStoreRun } from './runs/prepareRun.js';
import { transferring, type Transfer } from './waiting/transferring.js';
import type { DataActivities } from './types.js';
import type { WorkerLimits } from './workerLimits.js';

export interface DataActivityDependencies {
  readonly openStore: (configuration: StorageConfiguration, listener?: StoreListener) => ObjectStore;
  /** What inputs may name. */
  readonly limits: WorkerLimits;
  /** Is notified of what happens to runs. */
  readonly hook: NoticeHook;
  /** The task queue of this data worker's own. */
  readonly ownQueue: string;
  /** Aborted when the worker is told to stop: what runs ends as retryable. */
  readonly stopping: AbortSignal;
}

/** What any data worker does. */
export function createDataActivities(dependencies: DataActivityDependencies): DataActivities {
  const { ownQueue, stopping, limits, hook } = dependencies;
  const openStore = limits.stores(dependencies.openStore);
  return {
    async prepareRun(input) {
      await understood(() => checkAndStoreRun(input, openStore));
    },

    async extendStage(input) {
      await understood(() => checkAndStoreExtension(input, openStore));
    },

    async findDataset({ configuration }) {
      if (configuration.storage === null) return null;
      const store = openStore(configuration.storage);
      const { name } = configuration.dataset;
      // An index that cannot be read would be as unreadable at the next try.
      const index = await understood(() => findIndex(store, name), { FormatError: 'DataUnusable' });
      // What was only read in its folder so far is packed where the configuration wants it packed.
      const isThere = index !== null && (index.inPlace !== true || placeOf(configuration.dataset) !== null);
      return isThere ? summariseDataset(index) : null;
    },

    async claimDataWorker() {
      return ownQueue;
    },

    async planPredictions({ run, configuration, purpose }) {
      const store = openStore(configuration.storage);
      return understood(() => planShards(store, run, configuration, purpose), underWay);
    },

    async storeSeries(input) {
      await understood(() => checkAndStoreSeries(input, openStore));
    },

    async branchMember({ run, configuration, from }) {
      const { storage, training } = configuration;
      const work = async ({ onProgress, listener }: Transfer) => {
        const store = patientStore(openStore(storage, listener), listener);
        let doneFiles = 0;
        const report = (current: string) =>
          onProgress({ doneBytes: 0, totalBytes: null, doneFiles: doneFiles++, totalFiles: null, current });
        await ensureBranch({ store, from: { ...from, step: null }, run, training, report });
        return {};
      };
      return transferring(stopping, work, {
        ...underWay,
        BranchRefused: 'DataUnusable',
        DamagedCheckpoint: 'DataUnusable',
      });
    },

    async reportSeries({ run, storage }) {
      await understood(() => writeSeriesReport(openStore(storage), run), underWay);
    },

    async notify(notice) {
      for (const problem of await sendNotice(hook, notice)) Context.current().log.warn(problem);
    },

    ...createEvaluationActivities({ openStore, limits, stopping }),
  };
}
