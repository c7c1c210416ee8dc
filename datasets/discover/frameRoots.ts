import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { isJunk } from './junk.js';

/** A folder whose folders are subjects, by what lies in their sequences. */
export interface FrameRoot {
  readonly path: string;
  /** `frames`: a file a frame, a scan or a registration. */
  readonly kind: 'images' | 'calibrations' | 'frames';
  /** Extension of its files, without the dot. */
  readonly extension: string;
}

/** Folders in folders that are looked at, and folders at most. */
const deepest = 8;
const mostFolders = 5000;
const imageExtensions = ['png', 'jpg', 'jpeg', 'tif', 'tiff', 'bmp', 'webp'];
const frameExtensions = ['npy', 'ply', 'obj'];

/**
 * Folders of frames below a folder, or itself, whatever they are called: recognised are the files' names below
 * SUBJECT/SEQUENCE/FRAME (images, `SEQUENCE.FRAME.CAMERA.png`) and SUBJECT/SEQUENCE (calibrations, `CAMERA.tka`; scans and
 * registrations, `SEQUENCE.FRAME.npy` or `.ply`). Of each only so much is read as shows what it is.
 */
export async function findFrameRoots(directory: string): Promise<FrameRoot[]> {
  const found = new Map<string, FrameRoot>();
  let left = mostFolders;
  const visit = async (folder: string, depth: number): Promise<void> => {
    if (left-- <= 0 || depth > deepest) return;
    const entries = (await readdir(folder, { withFileTypes: true }).catch(() => [])).filter(
      ({ name }) => !isJunk(name),
    );
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    for (const root of rootsOf(folder, files)) {
      if (isWithin(root.path, directory)) found.set(`${root.kind} ${root.extension} ${root.path}`, root);
    }
    for (const entry of entries.filter((each) => each.isDirectory())) {
      // What lies below a root is all of its kind.
      if ([...found.values()].some(({ path }) => isWithin(folder, path))) return;
      await visit(join(folder, entry.name), depth + 1);
    }
  };
  await visit(directory, 0);
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The roots of which a folder with such files is a sequence or a frame. */
function rootsOf(folder: string, files: readonly string[]): FrameRoot[] {
  const [own, above] = [basename(folder), basename(dirname(folder))];
  const roots: FrameRoot[] = [];
  const add = (kind: FrameRoot['kind'], levels: number, file: string | undefined): void => {
    if (file === undefined) return;
    const path = join(folder, ...Array<string>(levels).fill('..'));
    roots.push({ path, kind, extension: extensionOf(file) });
  };
  const starts = (prefix: string, extensions: readonly string[]): string | undefined =>
    files.find((file) => file.startsWith(prefix) && extensions.includes(extensionOf(file)));
  add('images', 3, starts(`${above}.${own}.`, imageExtensions));
  add(
    'calibrations',
    2,
    files.find((file) => extensionOf(file) === 'tka'),
  );
  add('frames', 2, starts(`${own}.`, frameExtensions));
  return roots;
}

function extensionOf(file: string): string {
  return extname(file).slice(1).toLowerCase();
}

/** Whether a path is a folder or below it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}
