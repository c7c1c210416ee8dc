import { join, resolve } from 'node:path';
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
import { unextractedPaths } from '../datasets/extract/markers.js';
import { findBundle } from '../datasets/fetch/bundles.js';
import { headFileNames } from '../datasets/headFiles.js';
import { placeOf } from '../datasets/reader/inPlace.js';
import { packDataset } from '../datasets/pack/packDataset.js';
import { packFiles } from '../datasets/pack/packFiles.js';
import { patientStore } from '../storage/wrappers/patientStore.js';
import type { ObjectStore, StoreListener } from '../storage/types.js';
import { credentialsFor } from './credentials/credentials.js';
import { summariseDataset } from './datasetSummary.js';
import { userFault } from './failures.js';
import { transferring, type Transfer } from './waiting/transferring.js';
import type { DataConfiguration, DataInput, DataWorkerActivities } from './types.js';
import { proveFolder, proveHead } from './runs/proveData.js';
import { withLocalHead } from './runs/runFiles.js';
import type { WorkerLimits } from './workerLimits.js';

export interface DataWorkerActivityDependencies {
  readonly openStore: (configuration: StorageConfiguration, listener?: StoreListener) => ObjectStore;
  /** The worker's folder: downloads and extracted data of a configuration lie below it. */
  readonly directory: string;
  /** What inputs may name: stores and folders. */
  readonly limits: WorkerLimits;
  /** Where the credentials of the published data are, and whom they are for. */
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted when the worker is told to stop: what runs ends as retryable, what is on the disk stays. */
  readonly stopping: AbortSignal;
}

/** Names of errors of datasets/ that need a person. */
const faults: Readonly<Record<string, UserFault>> = {
  UnknownBundle: 'ConfigurationInvalid',
  HostCredentialsRefused: 'CredentialsRefused',
  FileMissingOnHost: 'DataUnusable',
  HostUntrusted: 'ConfigurationInvalid',
  UnexpectedAnswer: 'DataUnusable',
  ChecksumDiffers: 'DataUnusable',
  FolderUnusable: 'ConfigurationInvalid',
  ArchiveDamaged: 'DataUnusable',
  ArchiveUnsafe: 'DataUnusable',
  DatasetUnusable: 'DataUnusable',
  TooManyUnusableFrames: 'DataUnusable',
  FormatError: 'DataUnusable',
};

/** What a data worker does on its own disk. Each of them goes on where an earlier attempt on the same disk stopped. */
export function createDataWorkerActivities(dependencies: DataWorkerActivityDependencies): DataWorkerActivities {
  const { directory, limits, environment, stopping } = dependencies;
  const openStore = limits.stores(dependencies.openStore);
  const folderOf = (setting: string, path: string) => limits.checkFolder(setting, resolve(directory, path));
  const pathOf = ({ dataset, storage }: DataConfiguration): DataPath => {
    const { source } = dataset;
    if (source.kind !== 'bundles') throw new Error('A folder needs no fetching.');
    return {
      host: source.host,
      bundles: source.bundles,
      downloads: folderOf('dataset.downloads', dataset.downloads),
      extracted: folderOf('dataset.extracted', dataset.extracted),
      downloadsAtOnce: dataset.downloadsAtOnce,
      sha256: source.sha256,
      // What is packed next may need them again.
      deleteExtracted: dataset.deleteDownloads && storage === null,
      credentials: async () => {
        const credentials = await credentialsFor(source.host, environment);
        return { ...credentials, inClear: source.passwordInClear ?? false };
      },
      onRepaired: (message) => void log.warn(message),
      onMissing: (message) => void log.warn(message),
    };
  };
  const work = <T extends object>(run: (transfer: Transfer) => Promise<T>) => transferring(stopping, run, faults);
  const stepWork = <T extends object>(bundle: string, run: (step: DataStep & Transfer) => Promise<T>) =>
    work((transfer) => run({ bundle, ...transfer }));
  const storeOf = ({ storage }: DataConfiguration, listener: StoreListener): ObjectStore => {
    if (storage === null) throw userFault('ConfigurationInvalid', 'There is no object store to pack into: name one.');
    return patientStore(openStore(storage, listener), listener);
  };

  /** The folder that has the data, and their layout on this disk; nothing leads out of what is allowed. */
  const folderOfData = async ({ run, configuration }: DataInput, listener: StoreListener) => {
    const { dataset, storage } = configuration;
    const { source } = dataset;
    const directory =
      source.kind === 'directory'
        ? folderOf('dataset.source.path', source.path)
        : folderOf('dataset.extracted', dataset.extracted);
    checkLayout(dataset.layout, directory, limits);
    if (storage === null) return { directory, layout: dataset.layout };
    const folder = () => limits.runFolder(run);
    return { directory, layout: await withLocalHead(storeOf(configuration, listener), run, dataset.layout, folder) };
  };

  return {
    async proveData(input) {
      await work(async ({ listener }) => {
        const { source } = input.configuration.dataset;
        const { directory, layout } = await folderOfData(input, listener);
        if (source.kind === 'directory') await proveFolder(directory, layout);
        else {
          await proveHead(directory, layout, source.bundles);
          await proveCredentials(pathOf(input.configuration));
        }
        return {};
      });
    },

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

    async packDataset(input) {
      return work(async ({ signal, onProgress, listener }) => {
        const { configuration } = input;
        const { dataset } = configuration;
        const { source } = dataset;
        const { directory: from, layout } = await folderOfData(input, listener);
        const index = await packDataset({
          store: storeOf(configuration, listener),
          configuration: { ...dataset, layout },
          directory: from,
          inPlace: placeOf(dataset) !== null,
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

/** Credentials are bound to the host, unless all that it has is extracted. @throws CredentialsRefused */
async function proveCredentials({ bundles, extracted, credentials }: DataPath): Promise<void> {
  for (const bundle of bundles) {
    if ((await unextractedPaths(findBundle(bundle), extracted)).length > 0) {
      await credentials();
      return;
    }
  }
}

/** Paths of the layout lie below the data's folder: none leads out of what is allowed. */
function checkLayout(layout: object, base: string, limits: WorkerLimits, name = 'dataset.layout'): void {
  for (const [key, value] of Object.entries(layout) as [string, unknown][]) {
    // Those of the run's store have no path on this disk.
    if (headFileNames.some((which) => which === key) && typeof value === 'object') continue;
    if (typeof value === 'string') limits.checkFolder(`${name}.${key}`, join(base, value));
    else if (typeof value === 'object' && value !== null) checkLayout(value, base, limits, `${name}.${key}`);
  }
}
