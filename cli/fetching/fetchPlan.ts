import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataConfiguration } from '../../activities/types.js';
import { loadConfiguration } from '../../configs/load.js';
import { addressSchema } from '../../configs/schema/address.js';
import type { StorageConfiguration } from '../../configs/schema/storage.js';
import { supervisionSchema } from '../../configs/schema/supervision.js';
import { findDownload } from '../../datasets/fetch/bundles.js';
import { requireSecrecy } from '../../datasets/fetch/host/hostRequest.js';
import { published } from '../../datasets/fetch/published.js';
import type { PackLayout } from '../../datasets/pack/datasetFiles.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { refusePlaceholders } from '../store/placeholders.js';

const parts = ['images', 'scans', 'registrations'] as const;
export type Part = (typeof parts)[number];

/** What `tempeh-flow fetch` was asked for. */
export interface FetchRequest {
  readonly what: string;
  /** Empty: all. */
  readonly parts: readonly Part[];
  /** Holds `data/` and `runs/`. */
  readonly directory: string;
  readonly host: string | undefined;
  /** It may be asked by plain http. */
  readonly passwordInClear: boolean;
  readonly atOnce: number;
  /** A file as `sha256sum` writes it. */
  readonly checksums: string | undefined;
  readonly deleteVolumes: boolean;
  /** Into the object store of this configuration. */
  readonly store: boolean;
  readonly config: string;
  readonly set: readonly string[];
  /** Name of the data set in the object store. */
  readonly name: string | undefined;
}

/** Seconds: a listing of a million files, or a slow disk's flush, is no hang. */
const supervision = supervisionSchema.parse({});

/** The request as what the data path's activities take. @throws CommandError, ConfigurationError */
export async function planFetch(request: FetchRequest): Promise<DataConfiguration> {
  const { what, directory, name = what, host = published.host, passwordInClear } = request;
  const address = addressSchema.safeParse(host);
  if (!address.success) {
    const problems = address.error.issues.map(({ message }) => message).join('; ');
    throw new CommandError(`--host: expected https://…/download.php: ${problems}.`, exitCodes.usage);
  }
  requireSecrecy(host, passwordInClear);
  const download = findDownload(what);
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new CommandError(`--name ${name}: expected lower-case letters, digits and dashes.`, exitCodes.usage);
  }
  const sha256 = request.checksums === undefined ? undefined : await readChecksums(request.checksums);
  return {
    storage: request.store ? await storageOf(request) : null,
    supervision,
    dataset: {
      name,
      source: {
        kind: 'bundles',
        host,
        ...(passwordInClear ? { passwordInClear } : {}),
        bundles: bundlesOf(request),
        ...(sha256 ? { sha256 } : {}),
      },
      downloads: join(directory, 'data', 'downloads'),
      extracted: join(directory, download.folder),
      layout: layoutOf(request),
      storedResizeFactor: 4,
      imageExtension: 'png',
      unusableFrames: 0.01,
      deleteDownloads: request.deleteVolumes,
      downloadsAtOnce: request.atOnce,
    },
  };
}

/** Lists and calibrations always, and the parts that were asked for. */
function bundlesOf({ what, parts: asked }: FetchRequest): string[] {
  const { bundles, parts: offered } = findDownload(what);
  if (offered === null) {
    if (asked.length === 0) return [...bundles];
    throw new CommandError(`--${asked.join(', --')}: ${what} has no parts to choose from.`, exitCodes.usage);
  }
  return [
    ...bundles,
    ...parts.filter((part) => asked.length === 0 || asked.includes(part)).map((part) => offered[part]),
  ];
}

/** Where the frames lie that will be packed: what is not fetched is not looked for. */
function layoutOf({ what, parts: asked, store }: FetchRequest): PackLayout {
  const { layout, parts: offered } = findDownload(what);
  const has = (part: Part) => offered === null || asked.length === 0 || asked.includes(part);
  if (store && layout !== null && !has('images')) {
    throw new CommandError('Frames without images cannot be packed: add --images.', exitCodes.usage);
  }
  const split = (name: 'train' | 'validation' | 'test') => {
    const folders = layout?.[name] ?? null;
    if (folders === null) return null;
    const { scans, registrations } = folders;
    return {
      ...folders,
      scans: has('scans') ? scans : null,
      registrations: has('registrations') ? registrations : null,
    };
  };
  const splits = { train: split('train'), validation: split('validation'), test: split('test') };
  return { ...splits, template: null, vertexMasks: null };
}

async function storageOf({ config, set }: FetchRequest): Promise<StorageConfiguration> {
  const configuration = await loadConfiguration(config, set);
  refusePlaceholders(configuration, config);
  return configuration.storage;
}

/** `HASH  PATH` a line. */
async function readChecksums(file: string): Promise<Record<string, string>> {
  const known: Record<string, string> = {};
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, hash, path] = /^([0-9a-f]{64}) [ *](?:\.\/)?(\S.*)$/i.exec(line) ?? [];
    if (hash === undefined || path === undefined) {
      throw new CommandError(`${file}:${i + 1}: expected "SHA-256  PATH", as sha256sum writes it.`, exitCodes.usage);
    }
    known[path] = hash.toLowerCase();
  }
  return known;
}
