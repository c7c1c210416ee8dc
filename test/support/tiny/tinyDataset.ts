import { generateMiniature } from '../../../miniature/generate.js';
import { splitFolders, masksFile, templateFile } from '../../../miniature/layout.js';
import { packDataset } from '../../../datasets/pack/packDataset.js';
import type { ObjectStore } from '../../../storage/types.js';
import { smallMiniature } from './smallMiniature.js';
import { temporaryFolder } from '../temporaryFolder.js';

/** The part of a run's configuration that names the data set of `packTinyDataset`. */
export const tinyDataset = {
  name: 'tiny',
  source: { kind: 'directory', path: '/packed-already' },
  layout: { ...splitFolders, template: templateFile, vertexMasks: masksFile },
  storedResizeFactor: 4,
  imageExtension: 'png',
  unusableFrames: 0,
} as const;

/** Generates heads of 150 vertices seen in thumbnails: 6 training, 2 validation, 2 test frames. */
export async function generateTinyDataset(directory: string): Promise<void> {
  const settings = smallMiniature({
    name: tinyDataset.name,
    subjects: { train: 2, validation: 1, test: 1 },
    framesPerSequence: { train: 3, validation: 2, test: 2 },
    scanPoints: 200,
  });
  await generateMiniature(settings, directory, { threads: 1 });
}

/** The same, packed. */
export async function packTinyDataset(store: ObjectStore): Promise<void> {
  const directory = temporaryFolder();
  await generateTinyDataset(directory);
  await packDataset({ store, configuration: tinyDataset, directory });
}
