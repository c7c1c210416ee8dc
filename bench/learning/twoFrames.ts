import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { openBatches } from '../../datasets/batches/openBatches.js';
import type { LoaderSource } from '../../datasets/batches/settings.js';
import { viewChoiceOf } from '../../datasets/views.js';
import { generateMiniature } from '../../miniature/generate.js';
import { miniatureSettings, type MiniatureSettings } from '../../miniature/settings.js';
import { stageDataOf } from '../../training/process/openStageData.js';
import type { StageData } from '../../training/loop/stageData.js';

/** A small data set on the disk, of the miniature's kind. */
export interface GeneratedFolder {
  /** For what else is to be put there. */
  readonly folder: string;
  readonly source: (configuration: RunConfiguration) => LoaderSource;
  remove(): Promise<void>;
}

/** @param changes of the miniature's settings: fewer people, smaller pictures. */
export async function generateFolder(changes: Partial<MiniatureSettings>): Promise<GeneratedFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'tempeh-learning-'));
  const path = join(folder, 'data');
  await generateMiniature(miniatureSettings('miniature', changes), path);
  return {
    folder,
    source: ({ dataset }) => ({ kind: 'directory', path, dataset }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Two frames of one person and little else. */
export const twoFrames: Partial<MiniatureSettings> = {
  subjects: { train: 1, validation: 1, test: 1 },
  sequencesPerSubject: 1,
  framesPerSequence: { train: 2, validation: 1, test: 1 },
};

/**
 * A stage's batches, as its trainer has them, but without the coarse predictions that refinement starts from, and the
 * rotations of its grids: who trains it puts others there.
 */
export async function openBatchesOf(
  configuration: RunConfiguration,
  stage: TrainingStage,
  source: LoaderSource,
  signal: AbortSignal,
): Promise<StageData> {
  const { loader, seed } = configuration;
  const settings = configuration.training[stage];
  const choice = {
    ...viewChoiceOf(configuration),
    coarsePredictions: null,
    threads: loader.threads,
    decodedBytes: loader.decodedBytes,
  };
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  const batches = await openBatches({ source, ...choice }, loader.prefetch, { warn, signal });
  return stageDataOf(batches, settings, { seed });
}
