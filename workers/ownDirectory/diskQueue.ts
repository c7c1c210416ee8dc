import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';

const fileName = 'data-worker-id';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The queue of a disk, not of a host or process: a worker that comes back to its disk goes on there. Whole or not there:
 * a worker that a full disk or SIGKILL left an empty name would share its queue with all who had the same accident.
 *
 * @param data what its name begins with. @param directory held by this worker.
 */
export async function diskQueue(data: string, directory: string): Promise<string> {
  await makeFolder(directory);
  const file = join(directory, fileName);
  const there = (await readFile(file, 'utf8').catch(orNone)).trim();
  if (uuid.test(there)) return `${data}/${there}`;
  const fresh = randomUUID();
  await writeFile(`${file}.new`, fresh, { flush: true });
  await rename(`${file}.new`, file);
  return `${data}/${fresh}`;
}

function orNone(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return '';
}
