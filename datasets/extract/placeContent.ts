import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { findFrameRoots } from '../discover/frameRoots.js';
import { isJunk } from '../discover/junk.js';
import { ArchiveUnsafe } from './errors.js';

/** Folders in folders that an archive may wrap its content in. */
const deepestWrapping = 4;

/**
 * Moves what was extracted to where it belongs, on the same disk. An archive may hold the wanted folder at its top, wrapped
 * in other folders, under another name, or what belongs into it without the folder: in each case `target/content` is what
 * it should be. Folders of frames are recognised by what they hold, SUBJECT/SEQUENCE/FRAME; others by their name.
 *
 * @param content the folder's name below `target`; '.' for entries that go into `target` themselves.
 * @throws ArchiveUnsafe if it holds several such folders
 */
export async function placeContent(workshop: string, target: string, content: string): Promise<void> {
  await separateBackslashes(workshop);
  if (content === '.') {
    await makeFolder(target);
    for (const entry of await readdir(workshop)) {
      if (!isJunk(entry)) await replace(join(workshop, entry), join(target, entry));
    }
    return;
  }
  const frames = await framesIn(workshop, content);
  await replace(frames ?? (await findContent(workshop, content)), join(target, content));
}

/** The folder of frames that was extracted; null if there is none. */
async function framesIn(workshop: string, content: string): Promise<string | null> {
  const roots = [...new Set((await findFrameRoots(workshop)).map(({ path }) => path))];
  const [only] = roots;
  if (roots.length <= 1) return only ?? null;
  const called = roots.filter((path) => basename(path) === content);
  if (called.length === 1) return called[0]!;
  const named = roots.map((path) => relative(workshop, path) || '.').slice(0, 4);
  throw new ArchiveUnsafe(
    `The archive of ${content} holds several folders of SUBJECT/SEQUENCE/FRAME: ${named.join(', ')}; expected one. ` +
      'Extract it by hand, and say where its folders are (dataset.layout).',
  );
}

async function findContent(workshop: string, content: string): Promise<string> {
  let folder = workshop;
  for (let depth = 0; depth < deepestWrapping; depth++) {
    const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isJunk(name));
    if (entries.some((entry) => entry.name === content && entry.isDirectory())) return join(folder, content);
    const [only] = entries;
    if (entries.length !== 1 || !only?.isDirectory()) break;
    folder = join(folder, only.name);
  }
  return workshop;
}

/** Some programs write names as `SUBJECT\SEQUENCE\…`: whole paths, for such archives have no folders. */
async function separateBackslashes(workshop: string): Promise<void> {
  const made = new Set<string>();
  for (const name of await readdir(workshop)) {
    if (!name.includes('\\')) continue;
    // Names that leave the folder were refused before anything was extracted.
    const parts = name.split('\\').filter((part) => part !== '' && part !== '.');
    if (parts.length === 0 || parts.includes('..')) continue;
    const to = join(workshop, ...parts);
    if (!made.has(dirname(to))) await makeFolder(dirname(to));
    made.add(dirname(to));
    if (name.endsWith('\\')) await makeFolder(to);
    else await rename(join(workshop, name), to);
  }
}

async function replace(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  const old = `${to}.old`;
  await rm(old, { recursive: true, force: true });
  try {
    await rename(to, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await rename(from, to);
  await rm(old, { recursive: true, force: true });
}
