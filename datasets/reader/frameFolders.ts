import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { isJunk } from '../discover/junk.js';
import { FormatError } from '../formats/formatError.js';
import { parseTka } from '../formats/tka.js';
import type { EncodedView } from '../images/decodeView.js';
import { calibrationPath, imagePath } from '../layout.js';
import type { FrameId } from '../types.js';
import { regionNames, type VertexRegions } from '../vertexRegions.js';
import { atMost, isChosen, unknownCameras, type ViewChoice } from '../views.js';
import { FrameUnreadable } from './errors.js';
import type { FrameSource } from './frameSource.js';

/** Folders of images and calibrations in FaMoS layout, without lists, scans or registrations: what prediction needs. */
export interface FrameFolders {
  readonly images: string;
  readonly calibrations: string;
  readonly imageExtension: string;
}

/** The views of a frame by name, as its folders list them. */
export interface FrameViews {
  /** Calibrated cameras of the kind asked for that have an image, sorted. */
  readonly usable: readonly string[];
  /** Calibrated cameras of that kind without an image. */
  readonly withoutImage: readonly string[];
  /** Images of that kind without a calibration. */
  readonly withoutCalibration: readonly string[];
  /** Cameras that are asked for by name, and have neither. */
  readonly unknown: readonly string[];
}

/**
 * @throws FrameUnreadable when a folder is missing, or fewer than two views can be used: says what there is instead.
 */
export async function viewsOfFrame(folders: FrameFolders, id: FrameId, choice: ViewChoice): Promise<FrameViews> {
  const { viewKind: kind } = choice;
  const { images, calibrations, imageExtension } = folders;
  const calibrationFolder = join(calibrations, id.subject, id.sequence);
  const imageFolder = join(images, id.subject, id.sequence, id.frame);
  const [calibrationFiles, imageFiles] = await Promise.all([
    listed(id, calibrationFolder, 'calibrations'),
    listed(id, imageFolder, 'images'),
  ]);
  const cameras = stems(calibrationFiles, '', '.tka');
  const pictures = stems(imageFiles, `${id.sequence}.${id.frame}.`, `.${imageExtension}`);
  const wanted = (names: readonly string[]): string[] => names.filter((name) => isChosen(name, choice)).sort();
  const pictured = new Set(pictures);
  const calibrated = new Set(cameras);
  const views: FrameViews = {
    usable: wanted(cameras.filter((name) => pictured.has(name))),
    withoutImage: wanted(cameras.filter((name) => !pictured.has(name))),
    withoutCalibration: wanted(pictures.filter((name) => !calibrated.has(name))),
    unknown: unknownCameras([...cameras, ...pictures], choice),
  };
  if (views.usable.length >= 2) return views;
  const reasons = [
    `${cameras.length} calibrations in ${calibrationFolder} (${some(cameras)})`,
    `${pictures.length} images Q.N.CAMERA.${imageExtension} in ${imageFolder} (${some(pictures)})`,
    ...(pictures.length === 0 && imageFiles.length > 0
      ? [`which holds ${some(imageFiles)} (another format: --set dataset.imageExtension=…)`]
      : []),
    ...(choice.cameras ? [`and asked for are ${choice.cameras.join(', ')} (--cameras)`] : []),
    ...(!choice.cameras && kind !== 'all' && wanted(cameras).length < cameras.length
      ? [
          `and ${wanted(cameras).length} of the cameras are ${kind} ones by their names (other rigs: --set viewKind=all)`,
        ]
      : []),
  ];
  throw new FrameUnreadable(
    id,
    `it has ${views.usable.length} usable views, and needs two: there are ${reasons.join('; ')}`,
  );
}

/**
 * Cameras that are asked for by name, and of which no frame has an image or a calibration: a mistyped name. Frames are looked
 * at until each name was seen.
 *
 * @returns the names, and those that there are instead; nothing where all were seen.
 */
export async function camerasOfNoFrame(
  folders: FrameFolders,
  ids: readonly FrameId[],
  choice: ViewChoice,
): Promise<{ readonly unknown: readonly string[]; readonly there: readonly string[] }> {
  const there = new Set<string>();
  const seen = new Set<string>();
  const add = async (folder: string, start: string, end: string): Promise<void> => {
    if (seen.has(folder)) return;
    seen.add(folder);
    // A frame that cannot be read is reported in its turn.
    for (const name of stems(await readdir(folder).catch(() => []), start, end)) there.add(name);
  };
  let unknown = unknownCameras(there, choice);
  for (const { subject, sequence, frame } of ids) {
    if (unknown.length === 0) break;
    await add(join(folders.calibrations, subject, sequence), '', '.tka');
    const ending = `.${folders.imageExtension}`;
    await add(join(folders.images, subject, sequence, frame), `${sequence}.${frame}.`, ending);
    unknown = unknownCameras(there, choice);
  }
  return { unknown, there: [...there].sort() };
}

/** Frames that are given, of folders as they lie there. @param template mm; what predictions have the topology of. */
export function openFolderSource(folders: FrameFolders, template: Mesh, choice: ViewChoice): FrameSource {
  const view = async (id: FrameId, name: string): Promise<EncodedView> => {
    const file = join(folders.images, imagePath(id, name, folders.imageExtension));
    const tka = join(folders.calibrations, calibrationPath(id.subject, id.sequence, name));
    const [bytes, calibration] = await Promise.all([readFile(file), readFile(tka, 'utf8')]);
    return { name, bytes, file, calibration: parseTka(calibration, tka) };
  };
  return {
    description: folders.images,
    count: () => 0,
    range: async () => [],
    template,
    regions: noRegions(),
    async load(_split, id) {
      const { usable } = await viewsOfFrame(folders, id, choice);
      try {
        return {
          views: await Promise.all(atMost(usable, choice).map((name) => view(id, name))),
          scan: null,
          registration: null,
        };
      } catch (cause) {
        if (cause instanceof FormatError || isFileProblem(cause)) {
          throw new FrameUnreadable(id, (cause as Error).message, { cause });
        }
        throw cause;
      }
    },
    bytesRead: () => 0,
  };
}

async function listed(id: FrameId, folder: string, what: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (!isFileProblem(cause)) throw cause;
    const reason = cause.code === 'ENOENT' ? 'there is no such folder' : cause.message;
    throw new FrameUnreadable(id, `its ${what} are looked for in ${folder}: ${reason}`, { cause });
  }
}

/** What one frame's files may have wrong with them; a failing disk or network mount counts for the frame, too. */
function isFileProblem(error: unknown): error is NodeJS.ErrnoException {
  const codes = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EIO', 'ELOOP'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** What stands between a beginning and an end in those names that have both. */
function stems(names: readonly string[], start: string, end: string): string[] {
  return names
    .filter(
      (name) =>
        !isJunk(name) && name.startsWith(start) && name.endsWith(end) && name.length > start.length + end.length,
    )
    .map((name) => name.slice(start.length, name.length - end.length));
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  return [...names].sort().slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '');
}

function noRegions(): VertexRegions {
  return Object.fromEntries(regionNames.map((name) => [name, []])) as unknown as VertexRegions;
}
