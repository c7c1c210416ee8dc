import { resolve } from 'node:path';
import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { StorageConfiguration } from '../configs/schema/storage.js';
import { datasetFailures, type UserFault } from '../configs/temporal.js';
import {
  deleteVolumes,
  extractFetched,
  fetchForExtraction,
  type DataPath,
  type DataStep,
} from '../datasets/dataPath.js';
import { packDataset } from '../datasets/pack/packDataset.js';
import { packFiles } from '../datasets/pack/packFiles.js';
import { patientStore } from '../storage/patientStore.js';
import type { ObjectStore, StoreListener } from '../storage/types.js';
import { readCredentials } from './credentials.js';
import { summariseDataset } from './datasetSummary.js';
import { userFault } from './failures.js';
import { transferring, type Transfer } from './transferring.js';
import type { DataConfiguration, DataWorkerActivities } from './types.js';

export interface DataWorkerActivityDependencies {
  readonly openStore: (configuration: StorageConfiguration, listener?: StoreListener) => ObjectStore;
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
  HostUntrusted: 'ConfigurationInvalid',
  UnexpectedAnswer: 'DataUnusable',
  ChecksumDiffers: 'DataUnusable',
  ArchiveDamaged: 'DataUnusable',
  ArchiveUnsafe: 'DataUnusable',
  DatasetUnusable: 'DataUnusable',
  TooManyUnusableFrames: 'DataUnusable',
  FormatError: 'DataUnusable',
};

/** What a data worker does on its own disk. Each of them goes on where an earlier attempt on the same disk stopped. */
export function createDataWorkerActivities(dependencies: DataWorkerActivityDependencies): DataWorkerActivities {
  const { openStore, directory, environment, stopping } = dependencies;
  const pathOf = ({ dataset, storage }: DataConfiguration): DataPath => {
    const { source } = dataset;
    if (source.kind !== 'bundles') throw new Error('A folder needs no fetching.');
    return {
      host: source.host,
      bundles: source.bundles,
      downloads: resolve(directory, dataset.downloads),
      extracted: resolve(directory, dataset.extracted),
      downloadsAtOnce: dataset.downloadsAtOnce,
      sha256: source.sha256,
      // What is packed next may need them again.
      deleteExtracted: dataset.deleteDownloads && storage === null,
      credentials: async () => ({ ...(await readCredentials(environment)), inClear: source.passwordInClear ?? false }),
      onMended: (message) => void log.warn(message),
    };
  };
  const work = <T extends object>(run: (transfer: Transfer) => Promise<T>) => transferring(stopping, run, faults);
  const stepWork = <T extends object>(bundle: string, run: (step: DataStep & Transfer) => Promise<T>) =>
    work((transfer) => run({ bundle, ...transfer }));
  const storeOf = ({ storage }: DataConfiguration, listener: StoreListener): ObjectStore => {
    if (storage === null) throw userFault('ConfigurationInvalid', 'There is no object store to pack into: name one.');
    return patientStore(openStore(storage, listener), listener);
  };

  return {
    async fetchBundle({ configuration, bundle }) {
      return stepWork(bundle, async (step) => {
        const { files, bytes, fetchedBytes } = await fetchForExtraction(pathOf(configuration), step);
        return { bundle, files: files.length, bytes, fetchedBytes };
      });
    },

    async extractBundle({ configuration, bundle }) {
      return stepWork(bundle, async (step) => {
        try {
          const { files, bytes } = await extractFetched(pathOf(configuration), step);
          return { bundle, files, bytes };
        } catch (error) {
          // Extracting it again would not help: the workflow has it fetched again.
          if (!(error instanceof Error) || error.name !== 'VolumeMissing') throw error;
          throw ApplicationFailure.nonRetryable(error.message, datasetFailures.volumeMissing);
        }
      });
    },

    async packDataset({ configuration }) {
      return work(async ({ signal, onProgress, listener }) => {
        const { dataset } = configuration;
        const { source } = dataset;
        const from = source.kind === 'directory' ? source.path : dataset.extracted;
        const index = await packDataset({
          store: storeOf(configuration, listener),
          configuration: dataset,
          directory: resolve(directory, from),
          onProgress,
          signal,
        });
        if (dataset.deleteDownloads && source.kind === 'bundles') await deleteVolumes(pathOf(configuration));
        return summariseDataset(index);
      });
    },

    async packFiles({ configuration, bundle }) {
      return stepWork(bundle, async ({ listener, ...step }) => {
        const { downloads, extracted } = pathOf(configuration);
        const stored = await packFiles({ store: storeOf(configuration, listener), extracted, ...step });
        if (configuration.dataset.deleteDownloads) await deleteVolumes({ bundles: [bundle], downloads });
        return stored;
      });
    },
  };
}
