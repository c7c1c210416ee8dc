import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDataList } from '../formats/dataList.js';
import { isJunk } from './junk.js';

/** A file that is a data list. */
export interface FoundList {
  readonly path: string;
  readonly frames: number;
}

const deepest = 3;
const mostFiles = 40;
const largest = 30e6;

/** JSON files below a folder, not deep, that are lists of [subject, sequence, frame]. */
export async function findDataLists(directory: string): Promise<FoundList[]> {
  const found: FoundList[] = [];
  let left = mostFiles;
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = (await readdir(folder, { withFileTypes: true }).catch(() => [])).filter(
      ({ name }) => !isJunk(name),
    );
    for (const { name } of entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'))) {
      if (left-- <= 0) return;
      const path = join(folder, name);
      const frames = await framesIn(path);
      if (frames > 0) found.push({ path, frames });
    }
    if (depth === deepest) return;
    for (const entry of entries.filter((each) => each.isDirectory()).slice(0, mostFiles)) {
      await visit(join(folder, entry.name), depth + 1);
    }
  };
  await visit(directory, 1);
  return found;
}

async function framesIn(file: string): Promise<number> {
  try {
    if ((await stat(file)).size > largest) return 0;
    return parseDataList(await readFile(file, 'utf8'), file).length;
  } catch {
    return 0;
  }
}
