import type { Split } from '../datasets/types.js';

/** Where things lie below the folder of the extracted data: the published defaults (method 1). */
export interface SplitFolders {
  readonly list: string;
  readonly images: string;
  readonly calibrations: string;
  readonly scans: string;
  readonly registrations: string;
}

const trainingFolders = {
  images: 'training_data/downsampled_images_4',
  calibrations: 'training_data/calibrations',
  scans: 'training_data/sampled_scan_points',
  registrations: 'training_data/registrations',
} as const;

/**
 * The test subjects' registrations come with the others: evaluation of the miniature compares vertices.
 * The lists have their published names, whatever the miniature's numbers, so that nothing but the host differs.
 */
export const splitFolders: Readonly<Record<Split, SplitFolders>> = {
  train: {
    list: 'training_data/seventy_subj__all_seq_frames_per_seq_40_head_rot_120_train.json',
    ...trainingFolders,
  },
  validation: { list: 'training_data/eight_subj__all_seq_frames_per_seq_5_val.json', ...trainingFolders },
  test: {
    list: 'test_data/fiveteen_subj__all_seq_frames_per_seq_20_test.json',
    images: 'test_data/test_images_4',
    calibrations: 'test_data/test_calibrations',
    scans: 'test_data/test_scans',
    registrations: trainingFolders.registrations,
  },
};

/** Few frames of the test set, by themselves. */
export const testSubsetFolders = {
  list: 'test_data_subset/paper_test_frames.json',
  images: 'test_data_subset/test_subset_images_4',
  calibrations: 'test_data_subset/test_subset_calibrations',
} as const;

/** Whole test sequences: their calibrations come with the test set. */
export const testSequenceFolders = {
  list: 'test_sequences/test_sequences.json',
  images: 'test_sequences/test_images_4',
  calibrations: 'test_sequences/test_calibrations',
} as const;

export const templateFile = 'template/sampling_template.obj';
export const masksFile = 'template/vertex_masks2.npz';
