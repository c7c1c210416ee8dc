import { splitFolders, testSequenceFolders, testSubsetFolders } from '../layout.js';

/** An archive of the published host, and which part of the extracted data it brings. */
export interface PublishedArchive {
  /** PATH on the host (method 1); split ones get `.001`, `.002`, … */
  readonly path: string;
  /** How many volumes the published archive has; none where it is not split. */
  readonly volumes?: number;
  /** The folder, below the extracted data, that it is extracted in. */
  readonly extractedIn: string;
  /** What it holds, relative to that folder: a folder, or all of it ('.'). */
  readonly content: string;
}

const inTraining = { extractedIn: 'training_data' };
const inTest = { extractedIn: 'test_data' };
const inSubset = { extractedIn: 'test_data_subset' };

/**
 * The published archives with their numbers of volumes: the miniature's are cut into as many, so that its host differs
 * from the published one in its address alone. What is inside them at the top is our assumption: the folders that the
 * published options name. The template's archive is ours; the published template comes otherwise.
 */
export const publishedArchives: readonly PublishedArchive[] = [
  { path: 'training_data/images/training_images_4.zip', volumes: 19, ...inTraining, content: 'downsampled_images_4' },
  { path: 'training_data/calibrations/training_calibrations.zip', volumes: 1, ...inTraining, content: 'calibrations' },
  { path: 'training_data/scans/training_scan_samples.zip', volumes: 20, ...inTraining, content: 'sampled_scan_points' },
  { path: 'registrations/registrations.zip', volumes: 7, ...inTraining, content: 'registrations' },
  { path: 'test_data/test_images_4.zip', volumes: 2, ...inTest, content: 'test_images_4' },
  { path: 'test_data/test_calibrations.zip', volumes: 1, ...inTest, content: 'test_calibrations' },
  { path: 'test_data/test_scans.zip', volumes: 3, ...inTest, content: 'test_scans' },
  {
    path: 'test_sequences/test_sequence_images_4.zip',
    volumes: 2,
    extractedIn: 'test_sequences',
    content: 'test_images_4',
  },
  { path: 'test_subset_data/test_subset_images_4.zip.zip', ...inSubset, content: 'test_subset_images_4' },
  { path: 'test_subset_data/test_subset_calibrations.zip', ...inSubset, content: 'test_subset_calibrations' },
  { path: 'template/template.zip', extractedIn: 'template', content: '.' },
];

/** Data lists that the host serves as they are: PATH on the host, and the file below the extracted data. */
export const publishedLists: readonly { readonly path: string; readonly file: string }[] = [
  { path: splitFolders.train.list, file: splitFolders.train.list },
  { path: splitFolders.validation.list, file: splitFolders.validation.list },
  { path: splitFolders.test.list, file: splitFolders.test.list },
  { path: testSequenceFolders.list, file: testSequenceFolders.list },
  { path: 'test_subset_data/paper_test_frames.json', file: testSubsetFolders.list },
];
