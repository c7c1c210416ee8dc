import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameId } from '../types.js';
import { findFrameRoots, type FrameRoot } from './frameRoots.js';

/** Frames that are looked for below another folder than the one that was named. */
const looked = 20;

/** Where the frames of a list lie. */
export type PlaceOfFrames =
  /** In the folder that was named, or in one below it, which is called and wrapped otherwise. */
  | { readonly kind: 'here' | 'below'; readonly path: string }
  /** In none; `others`: folders of other subjects, sequences or frames, or several of these. */
  | { readonly kind: 'nowhere' | 'several'; readonly others: readonly string[] };

/**
 * Looks for the folder of SUBJECT/SEQUENCE/FRAME that the user means by a folder: archives are extracted under other names
 * and in folders of their own.
 */
export async function placeOfFrames(
  folder: string,
  kind: 'images' | 'calibrations',
  ids: readonly FrameId[],
): Promise<PlaceOfFrames> {
  for (const id of ids) if (await hasFrame(folder, kind, id)) return { kind: 'here', path: folder };
  const roots = (await findFrameRoots(folder)).filter((root) => root.kind === kind).map(({ path }) => path);
  const fitting: string[] = [];
  for (const root of new Set(roots)) if (await hasAny(root, kind, ids.slice(0, looked))) fitting.push(root);
  const [only] = fitting;
  if (fitting.length === 1 && only !== undefined) return { kind: 'below', path: only };
  return fitting.length > 1 ? { kind: 'several', others: fitting } : { kind: 'nowhere', others: [...new Set(roots)] };
}

async function hasAny(root: string, kind: FrameRoot['kind'], ids: readonly FrameId[]): Promise<boolean> {
  for (const id of ids) if (await hasFrame(root, kind, id)) return true;
  return false;
}

async function hasFrame(folder: string, kind: FrameRoot['kind'], { subject, sequence, frame }: FrameId) {
  const path = join(folder, subject, sequence, ...(kind === 'images' ? [frame] : []));
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
