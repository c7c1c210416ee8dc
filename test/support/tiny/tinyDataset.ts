import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../../configs/packageRoot.js';
import { generateMiniature } from '../../../miniature/generate.js';
import { splitFolders, masksFile, templateFile } from '../../../miniature/layout.js';
import { packDataset } from '../../../datasets/pack/packDataset.js';
import { sourceFingerprint } from '../../../miniature/sourceFingerprint.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import type { ObjectStore } from '../../../storage/types.js';
import { smallMiniature } from './smallMiniature.js';

/** The part of a run's configuration that names the data set of `packTinyDataset`. */
export const tinyDataset = {
  name: 'tiny',
  source: { kind: 'directory', path: '/packed-already' },
  layout: { ...splitFolders, template: templateFile, vertexMasks: masksFile },
  storedResizeFactor: 4,
  imageExtension: 'png',
  unusableFrames: 0,
} as const;

/** Heads of 150 vertices seen in thumbnails: 6 training, 2 validation, 2 test frames. */
export async function generateTinyDataset(directory: string): Promise<void> {
  await cp(join(await madeOnce(), 'data'), directory, { recursive: true });
}

/** The same, packed. */
export async function packTinyDataset(store: ObjectStore): Promise<void> {
  const packed = directoryStore(join(await madeOnce(), 'store'));
  for await (const { key } of packed.list('')) await store.put(key, (await packed.get(key)).body);
}

const settings = smallMiniature({
  name: tinyDataset.name,
  subjects: { train: 2, validation: 1, test: 1 },
  framesPerSequence: { train: 3, validation: 2, test: 2 },
  scanPoints: 200,
});

let made: Promise<string> | null = null;

/** Generated and packed once for all test files and runs: kept under a hash of their settings and the code that does it. */
function madeOnce(): Promise<string> {
  return (made ??= findOrMake());
}

async function findOrMake(): Promise<string> {
  const modules = ['miniature/generate.js', 'datasets/pack/packDataset.js'];
  const code = await sourceFingerprint(modules.map((module) => join(packageRoot, 'build', module)));
  const key = createHash('sha256')
    .update(JSON.stringify([settings, tinyDataset, code]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(packageRoot, 'build', 'test', '.miniatures', `tiny-${key}`);
  if (existsSync(folder)) return folder;
  const workshop = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const [data, store] = [join(workshop, 'data'), join(workshop, 'store')];
  await generateMiniature(settings, data, { threads: 1 });
  await packDataset({ store: directoryStore(store), configuration: tinyDataset, directory: data });
  try {
    await rename(workshop, folder);
  } catch (error) {
    // Another process was first; what it made is the same.
    await rm(workshop, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
