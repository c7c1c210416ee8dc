import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { parseDataList } from '../formats/dataList.js';
import { parsePly } from '../formats/meshes/ply.js';
import type { HeadFile } from '../../configs/schema/dataset.js';
import { headFilePath, headFileTitles, parseHead } from '../headFiles.js';
import { framePath } from '../layout.js';
import { splitNames, type FrameId, type Split } from '../types.js';
import { DatasetUnusable } from './errors.js';
import { isMissing, type SplitPaths } from './sequenceFiles.js';

/** Paths of a split below the data set's folder; null where it has no scans or registrations. */
export interface SplitLayout {
  readonly list: string;
  readonly images: string;
  readonly calibrations: string;
  readonly scans: string | null;
  readonly registrations: string | null;
}

/** Where the files of a data set lie below its folder. */
export interface PackLayout {
  /** null for a split that the data set does not have. */
  readonly train: SplitLayout | null;
  readonly validation: SplitLayout | null;
  readonly test: SplitLayout | null;
  /** null for data that are only predicted from. */
  readonly template: HeadFile | null;
  readonly vertexMasks: HeadFile | null;
}

export type Lists = Readonly<Record<Split, readonly FrameId[]>>;

/** What concerns all frames of a data set. */
export interface DatasetFiles {
  readonly lists: Lists;
  readonly template: Buffer | null;
  readonly vertexMasks: Buffer | null;
  /** The template's mesh, mm. */
  readonly templateMesh: Mesh | null;
  /** L, of the template, or else of the registrations; 0 where there are neither. */
  readonly vertexCount: number;
}

/** @throws DatasetUnusable, FormatError */
export async function readDatasetFiles(directory: string, layout: PackLayout): Promise<DatasetFiles> {
  const lists = await readLists(directory, layout);
  if (layout.template === null || layout.vertexMasks === null) {
    return {
      lists,
      template: null,
      templateMesh: null,
      vertexMasks: null,
      vertexCount: await registeredVertices(directory, layout, lists),
    };
  }
  const templateFile = headFilePath(directory, layout.template);
  const template = await readNeeded(templateFile, headFileTitles.template);
  const masksFile = headFilePath(directory, layout.vertexMasks);
  const vertexMasks = await readNeeded(masksFile, headFileTitles.vertexMasks);
  const { mesh: templateMesh } = parseHead(
    { bytes: template, file: templateFile },
    { bytes: vertexMasks, file: masksFile },
  );
  const vertexCount = templateMesh.vertices.length / 3;
  return { lists, template, templateMesh, vertexMasks, vertexCount };
}

async function readLists(directory: string, layout: PackLayout): Promise<Lists> {
  const lists: Record<Split, readonly FrameId[]> = { train: [], validation: [], test: [] };
  for (const split of splitNames) {
    const there = layout[split];
    if (there === null) continue;
    const file = join(directory, there.list);
    const none = split === 'test' ? '; where there is no test set, dataset.layout.test is null' : '';
    const title = `the list of the ${split} frames (dataset.layout.${split}.list${none})`;
    const text = (await readNeeded(file, title)).toString();
    lists[split] = parseDataList(text, file);
  }
  return lists;
}

/** Vertices of the first registration that can be read: the others are compared with it. */
async function registeredVertices(directory: string, layout: PackLayout, lists: Lists): Promise<number> {
  for (const split of splitNames) {
    const folder = layout[split]?.registrations ?? null;
    if (folder === null) continue;
    for (const id of lists[split]) {
      const file = join(directory, folder, framePath(id, 'ply'));
      try {
        return parsePly(await readFile(file), file).vertices.length / 3;
      } catch {
        // The frame will be reported as unusable.
      }
    }
  }
  return 0;
}

/** @throws DatasetUnusable if the file is missing. */
async function readNeeded(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new DatasetUnusable(`There is no ${file}, ${what}. Fetch the bundle that has it, or put it there.`, {
      cause: error,
    });
  }
}

/** Folders of a split, below the folder of the data set. */
export function pathsOf(directory: string, { images, calibrations, scans, registrations }: SplitLayout): SplitPaths {
  return {
    images: join(directory, images),
    calibrations: join(directory, calibrations),
    scans: scans === null ? null : join(directory, scans),
    registrations: registrations === null ? null : join(directory, registrations),
  };
}
