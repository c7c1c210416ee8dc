import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Folders in folders that an archive may wrap its content in. */
const deepestWrapping = 4;

/**
 * Moves what was extracted to where it belongs, on the same disk. An archive may hold the wanted folder at its top, wrapped
 * in other folders, or what belongs into it without the folder: in each case `target/content` is what it should be.
 *
 * @param content the folder's name below `target`; '.' for entries that go into `target` themselves.
 */
export async function placeContent(workshop: string, target: string, content: string): Promise<void> {
  if (content === '.') {
    await mkdir(target, { recursive: true });
    for (const entry of await readdir(workshop)) await replace(join(workshop, entry), join(target, entry));
    return;
  }
  await replace(await findContent(workshop, content), join(target, content));
}

async function findContent(workshop: string, content: string): Promise<string> {
  let folder = workshop;
  for (let depth = 0; depth < deepestWrapping; depth++) {
    const entries = await readdir(folder, { withFileTypes: true });
    if (entries.some((entry) => entry.name === content && entry.isDirectory())) return join(folder, content);
    const [only] = entries;
    if (entries.length !== 1 || !only?.isDirectory()) break;
    folder = join(folder, only.name);
  }
  return workshop;
}

async function replace(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
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
