import type { RunConfiguration } from '../configs/schema/run.js';
import type { StorageConfiguration } from '../configs/schema/storage.js';
import { findIndex } from '../datasets/index/openIndex.js';
import { DatasetMissing } from '../datasets/reader/errors.js';
import { evaluateRun, evaluateShard, type EvaluateRunOptions } from '../evaluation/evaluateRun.js';
import { evaluationWarnings } from '../evaluation/evaluationWarnings.js';
import { evaluationToken, removeOtherShards, shardsOf, storedShards } from '../evaluation/shards.js';
import { writeRunReport } from '../report/runReport.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore, StoreListener } from '../storage/types.js';
import { patientStore } from '../storage/wrappers/patientStore.js';
import { checkPlace } from './places.js';
import { underWay } from './failures.js';
import { runConfigurationOf } from './runs/prepareRun.js';
import { transferring, type Transfer } from './waiting/transferring.js';
import type { DataActivities } from './types.js';
import type { WorkerLimits } from './workerLimits.js';

export interface EvaluationActivityDependencies {
  readonly openStore: (configuration: StorageConfiguration, listener?: StoreListener) => ObjectStore;
  readonly limits: WorkerLimits;
  readonly stopping: AbortSignal;
}

/** Planning, measuring and putting together the evaluation of a run: any data worker does it. */
export function createEvaluationActivities({
  openStore,
  limits,
  stopping,
}: EvaluationActivityDependencies): Pick<DataActivities, 'planEvaluation' | 'evaluateShard' | 'evaluate'> {
  /** What the last shard's run has of training heads: the next is of the same run, mostly, and they take a while. */
  let known: { readonly of: string; readonly heads: EvaluateRunOptions['heads'] } | null = null;
  const patient = (storage: StorageConfiguration, { listener }: Transfer): ObjectStore =>
    patientStore(openStore(storage, listener), listener);
  const told =
    ({ onProgress }: Transfer) =>
    ({ done, total }: { readonly done: number; readonly total: number | null }) =>
      onProgress({ doneBytes: 0, totalBytes: null, doneFiles: done, totalFiles: total, current: 'test frames' });
  const listed =
    ({ onProgress }: Transfer) =>
    (doneFiles: number) =>
      onProgress({ doneBytes: 0, totalBytes: null, doneFiles, totalFiles: null, current: `${doneFiles} predictions` });
  const evaluating = <T extends object>(work: (transfer: Transfer) => Promise<T>) =>
    transferring(
      stopping,
      (transfer) => {
        told(transfer)({ done: 0, total: null });
        return work(transfer);
      },
      { ...underWay, FolderNotSeen: null },
    );
  const optionsFor = (store: ObjectStore, run: string, configuration: RunConfiguration, token: string) => {
    const of = JSON.stringify([run, token, store.description]);
    const onHeads = (heads: EvaluateRunOptions['heads']): void => void (known = { of, heads });
    return { store, run, configuration, token, onHeads, heads: known?.of === of ? known.heads : undefined };
  };
  return {
    planEvaluation({ run, configuration }) {
      return evaluating(async (transfer) => {
        const store = patient(configuration.storage, transfer);
        const token = await evaluationToken(store, run, configuration, listed(transfer));
        await removeOtherShards(store, run, token);
        const { name } = configuration.dataset;
        const index = await findIndex(store, name);
        if (index === null) throw new DatasetMissing(`The data set ${name} is not in ${store.description}.`);
        const there = await storedShards(store, run, token);
        const shards = shardsOf(index.counts.test, configuration)
          .filter((shard) => !there.has(keys.evaluationShard(run, token, shard.index)))
          .map(({ index: number, from, to }) => ({ index: number, from, to }));
        return { token, shards, frames: index.counts.test };
      });
    },

    evaluateShard({ run, storage, token, shard }) {
      return evaluating(async (transfer) => {
        const store = patient(storage, transfer);
        const configuration = await runConfigurationOf(store, run);
        checkPlace(configuration.dataset, limits);
        const { signal } = transfer;
        const options = optionsFor(store, run, configuration, token);
        await evaluateShard({ ...options, onProgress: told(transfer), signal }, shard);
        return {};
      });
    },

    evaluate({ run, configuration, token: planned }) {
      return evaluating(async (transfer) => {
        checkPlace(configuration.dataset, limits);
        const store = patient(configuration.storage, transfer);
        const { signal } = transfer;
        const token = planned ?? (await evaluationToken(store, run, configuration, listed(transfer)));
        const options = optionsFor(store, run, configuration, token);
        const evaluated = await evaluateRun({ ...options, onProgress: told(transfer), signal });
        await writeRunReport({ store, run, signal });
        const { frames, subjects, methods, farPoints, version } = evaluated;
        const warnings = evaluationWarnings(evaluated);
        return { version, run, frames, subjects, methods, warnings, ...(farPoints && { farPoints }) };
      });
    },
  };
}
