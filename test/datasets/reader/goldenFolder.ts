import { cp } from 'node:fs/promises';
import type { DatasetConfiguration } from '../../../configs/schema/dataset.js';
import type { FrameId } from '../../../datasets/types.js';
import { goldenPath } from '../../support/golden/golden.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folders = {
  list: 'list.json',
  images: 'images',
  calibrations: 'calibrations',
  scans: 'scans',
  registrations: 'registrations',
};

/** Where things lie in the golden case: two frames of four stereo views, of 642 vertices. */
export const goldenDataset: Pick<DatasetConfiguration, 'layout' | 'imageExtension'> = {
  imageExtension: 'png',
  layout: { train: folders, validation: folders, test: folders, template: 'template.obj', vertexMasks: 'masks.npz' },
};

export const goldenFrames: readonly [FrameId, FrameId] = [
  { subject: 'subject_000', sequence: 'seq_a', frame: '000001' },
  { subject: 'subject_001', sequence: 'seq_a', frame: '000002' },
];

export const goldenFolder = goldenPath('data');

/** A copy of the golden case, for tests that break it. */
export async function copiedFolder(): Promise<string> {
  const folder = temporaryFolder();
  await cp(goldenFolder, folder, { recursive: true });
  return folder;
}
