import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJunk } from '../discover/junk.js';
import { findFrameRoots, type FrameRoot } from '../discover/frameRoots.js';
import type { Bundle } from '../fetch/bundles.js';
import { parseDataList } from '../formats/dataList.js';
import { frameName } from '../layout.js';
import type { FrameId } from '../types.js';

/** Missing frames that are named. */
const mostNamed = 3;

/**
 * Compares the lists of a bundle with the folders that were extracted of it: which frames that they name are not there.
 *
 * @returns a sentence for each folder and list; empty if all is there.
 * @throws FormatError of a list
 */
export async function compareWithLists(bundle: Bundle, extracted: string): Promise<string[]> {
  const lists = [];
  for (const { target } of bundle.files.filter(({ path }) => path.endsWith('.json'))) {
    const file = join(extracted, target);
    lists.push({ file, ids: parseDataList(await readFile(file, 'utf8'), file) });
  }
  const said: string[] = [];
  for (const { path, target, content } of bundle.archives) {
    if (content === '.' || lists.length === 0) continue;
    const folder = join(extracted, target, content);
    const [root] = await findFrameRoots(folder);
    if (!root || root.path !== folder) {
      said.push(`${folder}: ${path} brought no folders of SUBJECT/SEQUENCE/FRAME.`);
      continue;
    }
    for (const { file, ids } of lists) {
      const missing = await missingFrames(root, ids);
      if (missing.length === 0) continue;
      const named = missing.slice(0, mostNamed).map(frameName);
      const more = missing.length > mostNamed ? ', …' : '';
      said.push(
        `${folder}: ${missing.length} of the ${ids.length} frames of ${file} are not there: ${named.join(', ')}${more}.`,
      );
    }
  }
  return said;
}

async function missingFrames({ path, kind }: FrameRoot, ids: readonly FrameId[]): Promise<FrameId[]> {
  const known = new Map<string, ReadonlySet<string>>();
  const namesIn = async (folder: string): Promise<ReadonlySet<string>> => {
    let names = known.get(folder);
    if (!names) {
      const all = (await readdir(folder).catch(() => [])).filter((name) => !isJunk(name));
      // Of SEQUENCE.FRAME.npy without its ending.
      names = new Set(kind === 'frames' ? all.map((name) => name.replace(/\.[^.]*$/, '')) : all);
      known.set(folder, names);
    }
    return names;
  };
  const missing: FrameId[] = [];
  for (const id of ids) {
    const names = await namesIn(join(path, id.subject, id.sequence));
    const isThere = kind === 'calibrations' ? names.size > 0 : names.has(nameOf(kind, id));
    if (!isThere) missing.push(id);
  }
  return missing;
}

function nameOf(kind: FrameRoot['kind'], { sequence, frame }: FrameId): string {
  return kind === 'images' ? frame : `${sequence}.${frame}`;
}
