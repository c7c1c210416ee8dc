import { resolve } from 'node:path';
import { ConfigurationError } from './configurationError.js';

/** The cache of objects that all runs and workers of a node may share: its owner says where it is and what it may take. */
export interface FrameCache {
  readonly directory: string;
  /** null: as the run's `loader.cacheBytes` says. */
  readonly limitBytes: number | null;
}

/** The variables by which a GPU worker knows it, where no option says so. */
export const cacheVariables = { directory: 'TEMPEH_FRAME_CACHE', bytes: 'TEMPEH_FRAME_CACHE_BYTES' } as const;

const units: Readonly<Record<string, number>> = {
  '': 1,
  ...{ k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/**
 * The cache of a worker (`--cache`, `--cache-bytes`, or the variables).
 *
 * @param directory the worker's folder: below it the cache lies unless it is said to lie elsewhere.
 * @throws ConfigurationError for what is no number of bytes above 0.
 */
export function frameCacheOf(
  directory: string,
  given: { readonly cache?: string | undefined; readonly bytes?: string | undefined } = {},
  environment: NodeJS.ProcessEnv = process.env,
): FrameCache {
  const { cache = environment[cacheVariables.directory], bytes = environment[cacheVariables.bytes] } = given;
  return { directory: resolve(directory, cache || 'cache'), limitBytes: bytes ? bytesOf(bytes) : null };
}

function bytesOf(text: string): number {
  const [, number, unit = ''] = /^([0-9.]+(?:e[0-9]+)?) ?([kKMGT]i?)?B?$/.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (units[unit] ?? NaN));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new ConfigurationError([
    {
      where: `--cache-bytes or ${cacheVariables.bytes}`,
      setting: 'cache-bytes',
      found: text,
      expected: 'expected bytes above 0: 200000000000, 200G or 186GiB',
    },
  ]);
}
