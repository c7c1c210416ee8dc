import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import { keys } from '../../storage/keys.js';
import type { ReadableStore } from '../../storage/types.js';
import { FormatError } from '../formats/formatError.js';
import { writeTar } from '../formats/archives/tar.js';
import type { PackLayout } from '../pack/datasetFiles.js';
import { calibrationPath, framePath, imagePath } from '../layout.js';
import type { PackedIndex } from '../index/packedIndex.js';
import { splitNames, type FrameId, type IndexedFrame, type Split } from '../types.js';
import { DatasetMissing } from './errors.js';
import { archiveNames } from './frameArchive.js';

/** A folder whose frames are trained on where they lie. Plain data: it travels to threads. */
export interface DatasetPlace {
  readonly path: string;
  readonly layout: Pick<PackLayout, Split>;
  readonly imageExtension: string;
}

/** The folder of a data set that is not to be packed; null for all others. */
export function placeOf({
  source,
  layout,
  imageExtension,
}: Pick<DatasetConfiguration, 'source' | 'imageExtension'> & { readonly layout: PackLayout }): DatasetPlace | null {
  if (source.kind !== 'directory' || source.pack !== false) return null;
  return { path: source.path, layout, imageExtension };
}

const splitSchema = z
  .object({
    list: z.string(),
    images: z.string(),
    calibrations: z.string(),
    scans: z.string().nullable(),
    registrations: z.string().nullable(),
  })
  .nullable();
const storedSchema = z.object({
  source: z.object({ kind: z.literal('directory'), path: z.string(), pack: z.literal(false) }),
  layout: z.object({ train: splitSchema, validation: splitSchema, test: splitSchema }),
  imageExtension: z.string(),
});

/** As `placeOf`, of a stored configuration, which may be one of another version. */
export function storedPlaceOf(dataset: unknown): DatasetPlace | null {
  const { success, data } = storedSchema.safeParse(dataset);
  return success ? { path: data.source.path, layout: data.layout, imageExtension: data.imageExtension } : null;
}

/** Thrown where this machine does not see the folder: another may, and this one may again. */
class FolderNotSeen extends Error {
  override readonly name = 'FolderNotSeen';
  constructor(readonly path: string) {
    super(
      `This machine does not see the folder ${path} (dataset.source.path), whose frames are read in place ` +
        '(dataset.source.pack: false): mount it here under that path, or have other workers do the work.',
    );
  }
}

/** @throws FolderNotSeen */
export function needPlace(place: DatasetPlace | null): void {
  if (place !== null && !existsSync(place.path)) throw new FolderNotSeen(place.path);
}

interface FramePart {
  readonly split: Split;
  readonly frame: IndexedFrame;
  readonly part: 'images' | 'scan' | 'registration';
  readonly sha256: string;
}

/**
 * A store that has the frames of a data set which was looked at in its folder, and not packed: asked for an object, it
 * makes the one that packing would have stored of the files, and compares it with the index. A packed data set's store
 * stays as it is.
 *
 * @throws DatasetMissing for an index of a folder, where the configuration names none.
 */
export function withFilesInPlace<Store extends ReadableStore>(
  store: Store,
  index: PackedIndex,
  place: DatasetPlace | null,
): Store {
  if (index.inPlace !== true) return store;
  if (place === null) {
    throw new DatasetMissing(
      `The data set ${index.name} in ${store.description} was looked at in its folder, not packed: name the folder ` +
        '(dataset.source: {kind: directory, path: PATH, pack: false}), or pack it: tempeh-flow start dataset.',
    );
  }
  const prefix = `${keys.dataset(index.name)}/`;
  const get: ReadableStore['get'] = async (key, options) => {
    const candidates = key.startsWith(prefix) ? await partsAt(index, key.slice(prefix.length)) : [];
    if (candidates.length === 0) return store.get(key, options);
    const body = await readPart(candidates, place);
    return { body, information: { key, size: body.length, etag: '', modified: new Date(0) } };
  };
  return { ...store, get };
}

/** The same frame of two splits, from other folders, has the same keys: the content tells which is meant. */
async function partsAt(index: PackedIndex, key: string): Promise<FramePart[]> {
  const id = frameAt(key);
  if (id === null) return [];
  const parts: FramePart[] = [];
  for (const split of splitNames) {
    const frame = await index.find(split, id);
    for (const part of ['images', 'scan', 'registration'] as const) {
      const object = frame?.[part];
      if (frame && object?.key === key) parts.push({ split, frame, part, sha256: object.sha256 });
    }
  }
  return parts;
}

/** The frame whose object it is: `images/S/Q/N.tar`, `scans/S/Q/Q.N.npy`, `registrations/S/Q/Q.N.ply`. */
function frameAt(key: string): FrameId | null {
  const [kind, subject, sequence, file, ...more] = key.split('/');
  if (subject === undefined || sequence === undefined || file === undefined || more.length > 0) return null;
  const name = file.slice(0, file.lastIndexOf('.'));
  if (kind === 'images') return { subject, sequence, frame: name };
  return name.startsWith(`${sequence}.`) ? { subject, sequence, frame: name.slice(sequence.length + 1) } : null;
}

/** @throws FolderNotSeen; FormatError where files are gone, or are not those that were looked at. */
async function readPart(candidates: readonly FramePart[], place: DatasetPlace): Promise<Uint8Array> {
  let problem: FormatError | undefined;
  for (const candidate of candidates) {
    const file = join(place.path, pathOf(candidate, place));
    const expected =
      'what was there when the data set was looked at (tempeh-flow start dataset, for new ones under a new name)';
    try {
      const body = await bytesOf(candidate, place);
      if (hash('sha256', body) === candidate.sha256) return body;
      problem ??= new FormatError({ file, expected, found: 'other content' });
    } catch (cause) {
      needPlace(place);
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      problem ??= new FormatError({
        file: (cause as NodeJS.ErrnoException).path ?? file,
        expected,
        found: 'no such file',
      });
    }
  }
  throw problem!;
}

async function bytesOf(candidate: FramePart, place: DatasetPlace): Promise<Uint8Array> {
  const { split, frame, part } = candidate;
  if (part !== 'images') return readFile(join(place.path, pathOf(candidate, place)));
  const { id, calibrations } = frame;
  const { imageExtension, layout } = place;
  const folders = layout[split]!;
  const names = calibrations.map(({ key }) => basename(key, '.tka'));
  const paths = [
    ...names.map((name) => join(place.path, folders.images, imagePath(id, name, imageExtension))),
    ...names.map((name) => join(place.path, folders.calibrations, calibrationPath(id.subject, id.sequence, name))),
  ];
  const bodies = await Promise.all(paths.map((path) => readFile(path)));
  return writeTar(archiveNames(names, imageExtension).map((name, i) => ({ name, bytes: bodies[i]! })));
}

/** Below the folder. */
function pathOf({ split, frame, part }: FramePart, { layout }: DatasetPlace): string {
  const folders = layout[split]!;
  const { id, scan } = frame;
  if (part === 'images') return join(folders.images, id.subject, id.sequence, id.frame);
  if (part === 'registration') return join(folders.registrations ?? '', framePath(id, 'ply'));
  return join(folders.scans ?? '', framePath(id, extname(scan?.key ?? '').slice(1)));
}
