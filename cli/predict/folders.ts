import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { placeOfFrames } from '../../datasets/discover/placeOfFrames.js';
import { listed } from '../../datasets/formats/formatError.js';
import { camerasOfNoFrame, type FrameFolders } from '../../datasets/reader/frameFolders.js';
import type { FrameId } from '../../datasets/types.js';
import type { ViewChoice } from '../../datasets/views.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

/** Names in a sentence. */
const named = 3;
const mostCameras = 40;

/**
 * The folder of images or calibrations that a command line means: the one that it names, or the only one below that holds the
 * list's frames.
 *
 * @param onNote is called where another folder is used than the one that was named, and where none has the frames.
 * @throws CommandError if there are several
 */
export async function folderOf(
  option: 'images' | 'calibrations',
  given: string,
  ids: readonly FrameId[],
  onNote: (note: string) => void,
): Promise<string> {
  const folder = resolve(given);
  // What is not here may be on the workers; whatever predicts says that it sees none.
  if (ids.length === 0 || !(await stat(folder).catch(() => null))?.isDirectory()) return folder;
  const place = await placeOfFrames(folder, option, ids);
  if ('path' in place) {
    if (place.kind === 'below') onNote(`${option}  ${place.path}`);
    return place.path;
  }
  const others = place.others.slice(0, named).map((path) => relative(folder, path) || '.');
  const names = `${others.join(', ')}${place.others.length > named ? ', …' : ''}`;
  const where = `--${option} ${given}`;
  if (place.kind === 'several') {
    throw new CommandError(
      `${where}: its folders ${names} hold frames of the list: name one of them.`,
      exitCodes.usage,
    );
  }
  const layout = {
    images: 'SUBJECT/SEQUENCE/FRAME/SEQUENCE.FRAME.CAMERA.png',
    calibrations: 'SUBJECT/SEQUENCE/CAMERA.tka',
  };
  const found = others.length > 0 ? `it has those of other frames, in ${names}` : 'nothing below it is called so';
  onNote(`${where}: expected ${layout[option]}, as of ${nameOf(ids[0]!)}; ${found}.`);
  return folder;
}

/**
 * Refuses cameras that no frame of a list has, of folders that are here; some frames may lack one.
 *
 * @throws CommandError naming those that there are
 */
export async function requireCameras(
  folders: FrameFolders,
  ids: readonly FrameId[],
  choice: ViewChoice,
): Promise<void> {
  const { unknown, there } = await camerasOfNoFrame(folders, ids, choice);
  if (unknown.length === 0 || there.length === 0) return;
  const names = [unknown, there].map((some) => listed(some, mostCameras));
  throw new CommandError(
    `--cameras (the setting cameras): found ${names[0]}, of which no frame of the list has an image or a calibration; there are ${names[1]}.`,
    exitCodes.usage,
  );
}

function nameOf({ subject, sequence, frame }: FrameId): string {
  return `${subject}/${sequence}/${frame}`;
}
