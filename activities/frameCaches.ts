import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../disk/makeFolder.js';
import { ConfigurationError } from '../configs/configurationError.js';
import { cacheVariables, type FrameCache } from '../configs/frameCache.js';
import { adoptCaches } from '../datasets/cache/adoptCaches.js';

/**
 * Makes the worker's cache, and brings those that earlier versions made for each run into it.
 *
 * @returns where it is and what it may take, for the worker's log.
 * @throws ConfigurationError for a folder that cannot be written: each epoch would be fetched anew.
 */
export async function prepareFrameCache({ directory, limitBytes }: FrameCache, workerFolder: string): Promise<string> {
  try {
    await makeFolder(directory);
    await access(directory, constants.W_OK);
  } catch (error) {
    const expected = `expected a folder that this worker may write: --cache, or ${cacheVariables.directory}`;
    throw new ConfigurationError([{ where: directory, setting: 'cache', found: (error as Error).message, expected }]);
  }
  const adopted = await adoptCaches(join(workerFolder, 'runs'), directory, limitBytes);
  const limit =
    limitBytes === null ? 'as large as loader.cacheBytes of the runs says (--cache-bytes)' : `of ${limitBytes} bytes`;
  return `caches frames in ${directory}, ${limit}${adopted === 0 ? '' : `; took over what ${adopted} runs had cached`}`;
}
