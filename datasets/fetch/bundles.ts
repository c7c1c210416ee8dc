import { UnknownBundle } from './errors.js';

/** A ZIP archive of the host, and the folder that it becomes. */
export interface BundleArchive {
  /** PATH on the host; of a split archive without `.001`. */
  readonly path: string;
  /** How many volumes (`.001`, `.002`, …) it is split into; null where it is not split. */
  readonly volumes: number | null;
  /** Below the folder of the extracted data. */
  readonly target: string;
  /** The folder that it holds, below the target; '.' for files that go into the target itself. */
  readonly content: string;
}

/** A file that is used as it is: a data list. */
export interface BundleFile {
  readonly path: string;
  /** Below the folder of the extracted data. */
  readonly target: string;
}

/** What is fetched, and extracted, as one. */
export interface Bundle {
  readonly name: string;
  /** What it is, for people. */
  readonly description: string;
  readonly archives: readonly BundleArchive[];
  readonly files: readonly BundleFile[];
}

const testCalibrations = { path: 'test_data/test_calibrations.zip', volumes: 1, content: 'test_calibrations' } as const;
const testList = 'test_data/fiveteen_subj__all_seq_frames_per_seq_20_test.json';
const trainingList = 'training_data/seventy_subj__all_seq_frames_per_seq_40_head_rot_120_train.json';
const validationList = 'training_data/eight_subj__all_seq_frames_per_seq_5_val.json';

/**
 * Every published bundle (spec section 1), and the miniature's template. The miniature's host has the same files in the
 * same numbers of volumes, `models` excepted. `test-data` and `test-sequences` share an archive: it is fetched once.
 */
export const bundles: readonly Bundle[] = [
  {
    name: 'training-data',
    description: 'images (194 GB), calibrations and lists of training and validation',
    archives: [
      {
        path: 'training_data/images/training_images_4.zip',
        volumes: 19,
        target: 'training_data',
        content: 'downsampled_images_4',
      },
      {
        path: 'training_data/calibrations/training_calibrations.zip',
        volumes: 1,
        target: 'training_data',
        content: 'calibrations',
      },
    ],
    files: [
      { path: trainingList, target: trainingList },
      { path: validationList, target: validationList },
    ],
  },
  {
    name: 'training-scans',
    description: 'points on the scans of training and validation (205 GB)',
    archives: [
      {
        path: 'training_data/scans/training_scan_samples.zip',
        volumes: 20,
        target: 'training_data',
        content: 'sampled_scan_points',
      },
    ],
    files: [],
  },
  {
    name: 'registrations',
    description: 'registrations (86 GB)',
    archives: [
      { path: 'registrations/registrations.zip', volumes: 7, target: 'training_data', content: 'registrations' },
    ],
    files: [],
  },
  {
    name: 'test-data',
    description: 'images, calibrations, scans and list of the test subjects (18 GB)',
    archives: [
      { path: 'test_data/test_images_4.zip', volumes: 2, target: 'test_data', content: 'test_images_4' },
      { ...testCalibrations, target: 'test_data' },
      { path: 'test_data/test_scans.zip', volumes: 3, target: 'test_data', content: 'test_scans' },
    ],
    files: [{ path: testList, target: testList }],
  },
  {
    name: 'test-subset',
    description: 'few frames of the test subjects: images, calibrations, list',
    archives: [
      {
        path: 'test_subset_data/test_subset_images_4.zip.zip',
        volumes: null,
        target: 'test_data_subset',
        content: 'test_subset_images_4',
      },
      {
        path: 'test_subset_data/test_subset_calibrations.zip',
        volumes: null,
        target: 'test_data_subset',
        content: 'test_subset_calibrations',
      },
    ],
    files: [{ path: 'test_subset_data/paper_test_frames.json', target: 'test_data_subset/paper_test_frames.json' }],
  },
  {
    name: 'test-sequences',
    description: 'whole sequences of test subjects: images, calibrations, list',
    archives: [
      {
        path: 'test_sequences/test_sequence_images_4.zip',
        volumes: 2,
        target: 'test_sequences',
        content: 'test_images_4',
      },
      { ...testCalibrations, target: 'test_sequences' },
    ],
    files: [{ path: 'test_sequences/test_sequences.json', target: 'test_sequences/test_sequences.json' }],
  },
  {
    name: 'models',
    description: 'the published weights of both stages (1.3 GB)',
    archives: [
      { path: 'models/coarse__TEMPEH_final.zip', volumes: null, target: 'runs/coarse', content: '.' },
      { path: 'models/refinement_TEMPEH_final.zip', volumes: null, target: 'runs/refinement', content: '.' },
    ],
    files: [],
  },
  {
    name: 'template',
    description: "the miniature's head template and vertex masks (the published ones come with other downloads)",
    archives: [{ path: 'template/template.zip', volumes: null, target: 'template', content: '.' }],
    files: [],
  },
];

/** @throws UnknownBundle naming the known ones. */
export function findBundle(name: string): Bundle {
  const bundle = bundles.find((candidate) => candidate.name === name);
  if (bundle) return bundle;
  const known = bundles.map((candidate) => candidate.name).join(', ');
  throw new UnknownBundle(`There is no bundle "${name}". Name one of: ${known} (dataset.source.bundles).`);
}

/** PATHs of an archive's volumes, in their order. */
export function volumePaths({ path, volumes }: Pick<BundleArchive, 'path' | 'volumes'>): string[] {
  if (volumes === null) return [path];
  return Array.from({ length: volumes }, (_, i) => `${path}.${String(i + 1).padStart(3, '0')}`);
}

/** All PATHs of a bundle; small files first, so that a wrong setting shows at once. */
export function bundlePaths(bundle: Bundle): string[] {
  return [...bundle.files.map(({ path }) => path), ...bundle.archives.flatMap(volumePaths)];
}
