import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathsOf, type PackLayout } from '../pack/datasetFiles.js';
import { findSequenceFiles } from '../pack/sequenceFiles.js';
import { sampleFrames } from '../sampleFrames.js';
import { splitNames, type FrameId, type Split } from '../types.js';
import { findDataLists } from './dataLists.js';
import { findFrameRoots, type FrameRoot } from './frameRoots.js';
import { isJunk } from './junk.js';

type Part = 'images' | 'calibrations' | 'scans' | 'registrations';

const parts: readonly Part[] = ['images', 'calibrations', 'scans', 'registrations'];
/** Frames of a split that are looked for. */
const looked = 5;
/** Names in a sentence. */
const named = 3;

/**
 * Of a folder in another layout than a configuration says: what of each split was looked for in vain, where such files lie
 * instead, and which setting says so. Human-readable sentences.
 *
 * @param lists frames of the splits; those that are empty are left out.
 */
export async function layoutHints(
  directory: string,
  { layout, imageExtension }: { readonly layout: PackLayout; readonly imageExtension: string },
  lists: Readonly<Record<Split, readonly FrameId[]>>,
): Promise<string[]> {
  const missing: { split: Split; part: Part; folder: string }[] = [];
  for (const split of splitNames) {
    const there = layout[split];
    if (there === null || lists[split].length === 0) continue;
    const found = await partsOf(pathsOf(directory, there), split, lists[split], imageExtension);
    for (const part of parts) {
      const folder = there[part];
      if (folder !== null && !found.has(part)) missing.push({ split, part, folder });
    }
  }
  if (missing.length === 0) return [];
  const roots = await findFrameRoots(directory);
  const hints: string[] = [];
  for (const { split, part, folder } of missing) {
    const setting = `dataset.layout.${split}.${part}`;
    hints.push(`${setting}: ${await hintOf(directory, folder, part, setting, roots, lists[split], imageExtension)}`);
  }
  return hints;
}

/** For a list that is not there: the lists that are. */
export async function listHint(directory: string): Promise<string> {
  const lists = await findDataLists(directory);
  if (lists.length === 0) return '';
  const some = lists.slice(0, named).map(({ path, frames }) => `${relative(directory, path)} (${frames} frames)`);
  return `Below ${directory} there are the data lists ${some.join(', ')}${lists.length > named ? ', …' : ''}.`;
}

async function partsOf(
  paths: ReturnType<typeof pathsOf>,
  split: Split,
  ids: readonly FrameId[],
  imageExtension: string,
): Promise<Set<Part>> {
  const found = new Set<Part>();
  const frames = sampleFrames(
    ids.map((id) => ({ split, id })),
    looked,
  );
  for (const { id } of frames) {
    const { calibrations, frames: files } = await findSequenceFiles(paths, [id], imageExtension);
    if (calibrations.size > 0) found.add('calibrations');
    for (const { images, scan, registration } of files) {
      if (images.size > 0) found.add('images');
      if (scan !== null) found.add('scans');
      if (registration !== null) found.add('registrations');
    }
  }
  return found;
}

async function hintOf(
  directory: string,
  folder: string,
  part: Part,
  setting: string,
  roots: readonly FrameRoot[],
  ids: readonly FrameId[],
  imageExtension: string,
): Promise<string> {
  // Where files may be scans or registrations, points are scans.
  const isFirst = ({ extension }: FrameRoot): number => (part === 'scans' && extension !== 'npy' ? 1 : 0);
  const fitting = roots.filter((root) => fits(root, part)).sort((a, b) => isFirst(a) - isFirst(b));
  const here = fitting.filter(({ path }) => relative(join(directory, folder), path) === '');
  const [own] = here;
  if (own && part === 'images' && here.every(({ extension }) => extension !== imageExtension)) {
    return `${folder} holds images, but .${own.extension} ones: set dataset.imageExtension: ${own.extension}.`;
  }
  if (own) {
    const subjects = (await readdir(own.path)).filter((name) => !isJunk(name)).sort();
    const wanted = [...new Set(ids.map(({ subject }) => subject))];
    return `${folder} has none of the list's frames: it holds ${some(subjects)}, the list names ${some(wanted)}.`;
  }
  const ofList = await withFrames(fitting, ids);
  const others = [
    ...new Set((ofList.length > 0 ? ofList : fitting).map(({ path }) => relative(directory, path) || '.')),
  ];
  if (others.length > 0) {
    return `${folder} has none; ${some(others)} ${others.length === 1 ? 'has' : 'have'} such files: set ${setting}: ${others[0]!}.`;
  }
  return `${folder} has none, and no folder below ${directory} has files called ${expected(part, imageExtension)}.`;
}

/** The folders that have sequences of the list. */
async function withFrames(roots: readonly FrameRoot[], ids: readonly FrameId[]): Promise<FrameRoot[]> {
  const sequences = sampleFrames(
    ids.map((id) => ({ split: 'train' as const, id })),
    looked,
  ).map(({ id }) => join(id.subject, id.sequence));
  const found = await Promise.all(
    roots.map(async ({ path }) => {
      const there = await Promise.all(sequences.map((name) => stat(join(path, name)).catch(() => null)));
      return there.some((entry) => entry?.isDirectory() === true);
    }),
  );
  return roots.filter((_, i) => found[i]);
}

function fits({ kind, extension }: FrameRoot, part: Part): boolean {
  if (part === 'images' || part === 'calibrations') return kind === part;
  return kind === 'frames' && (part === 'scans' || extension === 'ply');
}

function expected(part: Part, imageExtension: string): string {
  const names = {
    images: `SUBJECT/SEQUENCE/FRAME/SEQUENCE.FRAME.CAMERA.${imageExtension}`,
    calibrations: 'SUBJECT/SEQUENCE/CAMERA.tka',
    scans: 'SUBJECT/SEQUENCE/SEQUENCE.FRAME.npy (.ply, .obj)',
    registrations: 'SUBJECT/SEQUENCE/SEQUENCE.FRAME.ply',
  };
  return names[part];
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return names.slice(0, named).join(', ') + (names.length > named ? ', …' : '');
}
