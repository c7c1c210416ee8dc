import { resolve } from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { RunConfiguration, StorageConfiguration } from '../configs/schema/run.js';
import { datasetFailures, type UserFault } from '../configs/temporal.js';
import { extractBundle } from '../datasets/extract/extractBundle.js';
import { deleteDownloads, fetchBundle } from '../datasets/fetch/fetchBundle.js';
import { packDataset } from '../datasets/pack/packDataset.js';
import type { ObjectStore } from '../storage/types.js';
import { readCredentials } from './credentials.js';
import { summariseDataset } from './datasetSummary.js';
import { interruptible } from './interruptible.js';
import type { ActivityHeartbeat, DataWorkerActivities, TransferProgress } from './types.js';

export interface DataWorkerActivityDependencies {
  readonly openStore: (configuration: StorageConfiguration) => ObjectStore;
  /** The worker's folder: downloads and extracted data of a configuration lie below it. */
  readonly directory: string;
  /** Where the credentials of the published data are. */
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted when the worker is told to stop: what runs ends as retryable, what is on the disk stays. */
  readonly stopping: AbortSignal;
}

/** Names of errors of datasets/ that only a person can mend. */
const faults: Readonly<Record<string, UserFault>> = {
  UnknownBundle: 'ConfigurationInvalid',
  HostCredentialsRefused: 'CredentialsRefused',
  FileMissingOnHost: 'DataUnusable',
  UnexpectedAnswer: 'DataUnusable',
  ArchiveDamaged: 'DataUnusable',
  ArchiveUnsafe: 'DataUnusable',
  DatasetUnusable: 'DataUnusable',
  TooManyUnusableFrames: 'DataUnusable',
  FormatError: 'DataUnusable',
};

/** What a data worker does on its own disk. Each of them goes on where an earlier attempt on the same disk stopped. */
export function createDataWorkerActivities(dependencies: DataWorkerActivityDependencies): DataWorkerActivities {
  const { openStore, directory, environment, stopping } = dependencies;
  const folders = ({ dataset }: RunConfiguration) => ({
    downloads: resolve(directory, dataset.downloads),
    extracted: resolve(directory, dataset.extracted),
  });
  const work = <T>(run: (signal: AbortSignal, onProgress: (progress: TransferProgress) => void) => Promise<T>) => {
    const context = Context.current();
    const onProgress = (progress: TransferProgress) => {
      context.heartbeat({ kind: 'transfer', progress } satisfies ActivityHeartbeat);
    };
    return interruptible(context, stopping, (signal) => run(signal, onProgress), faults);
  };

  return {
    async fetchBundle({ configuration, bundle }) {
      return work(async (signal, onProgress) => {
        const { source, downloadsAtOnce } = configuration.dataset;
        if (source.kind !== 'bundles') throw new Error('A folder needs no fetching.');
        const { files, bytes, fetchedBytes } = await fetchBundle({
          host: source.host,
          bundle,
          directory: folders(configuration).downloads,
          credentials: await readCredentials(environment),
          atOnce: downloadsAtOnce,
          onProgress,
          signal,
        });
        return { bundle, files: files.length, bytes, fetchedBytes };
      });
    },

    async extractBundle({ configuration, bundle }) {
      return work(async (signal, onProgress) => {
        try {
          return { bundle, ...(await extractBundle({ bundle, ...folders(configuration), onProgress, signal })) };
        } catch (error) {
          // Extracting it again would not help: the workflow has it fetched again.
          if (!(error instanceof Error) || error.name !== 'VolumeMissing') throw error;
          throw ApplicationFailure.nonRetryable(error.message, datasetFailures.volumeMissing);
        }
      });
    },

    async packDataset({ configuration }) {
      return work(async (signal, onProgress) => {
        const { dataset, storage } = configuration;
        const { source } = dataset;
        const { downloads, extracted } = folders(configuration);
        const index = await packDataset({
          store: openStore(storage),
          configuration: dataset,
          directory: source.kind === 'directory' ? resolve(directory, source.path) : extracted,
          onProgress,
          signal,
        });
        if (dataset.deleteDownloads && source.kind === 'bundles') {
          for (const bundle of source.bundles) await deleteDownloads(bundle, downloads);
        }
        return summariseDataset(index);
      });
    },
  };
}
