import { realpathSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { runNamePattern, runNameRule } from '../configs/runNames.js';
import type { StorageConfiguration } from '../configs/schema/storage.js';
import type { ObjectStore, StoreListener } from '../storage/types.js';
import { printable } from '../text/printable.js';
import { userFault } from './failures.js';

type OpenStore = (configuration: StorageConfiguration, listener?: StoreListener) => ObjectStore;

/**
 * What the owner of a worker lets the inputs of workflows name. Whoever can start a workflow writes its input: without
 * limits it could have the worker's credentials used at any address, and any folder of its machine read or written.
 *
 * - Object stores: `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`) of the environment, AWS itself where an input names no
 *   endpoint, and the addresses in `TEMPEH_STORES`.
 * - Folders: the worker's own, and those in `TEMPEH_FOLDERS`.
 *
 * The host of the published data has a binding of its own (credentials.ts).
 */
export class WorkerLimits {
  private constructor(
    private readonly endpoints: readonly string[],
    private readonly folders: readonly string[],
  ) {}

  /**
   * @param directory the worker's own folder.
   * @throws Error naming the variable that holds what is no address, or no absolute path.
   */
  static of(directory: string, environment: NodeJS.ProcessEnv): WorkerLimits {
    const listed = (name: string, separator: string | RegExp) =>
      (environment[name] ?? '').split(separator).filter((entry) => entry !== '');
    const endpoints = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'TEMPEH_STORES'].flatMap((name) =>
      listed(name, /[\s,]+/).map((entry) => {
        if (URL.canParse(entry)) return addressOf(entry);
        throw new Error(
          `${name} holds "${printable(entry)}": expected addresses (https://HOST:PORT), separated by blanks.`,
        );
      }),
    );
    const folders = listed('TEMPEH_FOLDERS', delimiter).map((entry) => {
      if (isAbsolute(entry)) return entry;
      throw new Error(`TEMPEH_FOLDERS holds "${printable(entry)}": expected absolute paths, joined by "${delimiter}".`);
    });
    return new WorkerLimits(endpoints, [resolve(directory), ...folders]);
  }

  /** The same, for stores that the owner allows only. */
  stores(open: OpenStore): OpenStore {
    return (configuration, listener) => {
      this.checkStore(configuration);
      return open(configuration, listener);
    };
  }

  /** @throws ConfigurationInvalid saying what to set. */
  checkStore(configuration: StorageConfiguration): void {
    if (configuration.kind === 'directory') {
      this.checkFolder('storage.path', configuration.path);
      return;
    }
    const { endpoint } = configuration;
    if (endpoint === null || (URL.canParse(endpoint) && this.endpoints.includes(addressOf(endpoint)))) return;
    const known = this.endpoints.length === 0 ? 'none' : this.endpoints.join(', ');
    throw userFault(
      'ConfigurationInvalid',
      `storage.endpoint is ${printable(endpoint)}, which is not an object store that the owner of this worker allows ` +
        `(allowed: ${known}). Nothing was sent to it. If it is right, set TEMPEH_STORES=${printable(endpoint)} (or ` +
        'AWS_ENDPOINT_URL_S3) in the environment of all workers, and resume; else correct storage.endpoint.',
    );
  }

  /**
   * @param setting that holds the path, for messages.
   * @returns the path itself.
   * @throws ConfigurationInvalid saying what to set.
   */
  checkFolder(setting: string, path: string): string {
    const real = realPathOf(resolve(path));
    if (this.folders.some((folder) => isWithin(real, realPathOf(resolve(folder))))) return path;
    const leads = real === resolve(path) ? '' : ` (that is ${printable(real)})`;
    throw userFault(
      'ConfigurationInvalid',
      `${setting} is ${printable(path)}${leads}, which is not below a folder that the owner of this worker allows ` +
        `(allowed: ${this.folders.join(', ')}). Nothing was read or written. If it is right, set ` +
        `TEMPEH_FOLDERS=${printable(path)} in the environment of the workers (several are joined by "${delimiter}"), ` +
        'and resume; else correct it.',
    );
  }

  /** The folder of a run below the worker's own. @throws ConfigurationInvalid for what is no name of a run. */
  runFolder(run: string): string {
    if (runNamePattern.test(run)) return join(this.folders[0]!, 'runs', run);
    throw userFault('ConfigurationInvalid', `The run's name is "${printable(run)}"; expected ${runNameRule}.`);
  }
}

/** Without a slash at its end, which says nothing. */
function addressOf(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

/** With links resolved as far as the path exists: a link within an allowed folder may lead out of it. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
