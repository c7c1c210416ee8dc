import { join } from 'node:path';
import type { StageConfiguration } from '../../configs/schema/training.js';
import { openBatches, type Batches, type LoaderListener } from '../../datasets/batches/openBatches.js';
import type { LoaderSource } from '../../datasets/batches/settings.js';
import { placeOf } from '../../datasets/reader/inPlace.js';
import { viewChoiceOf } from '../../datasets/views.js';
import { keys } from '../../storage/keys.js';
import type { TrainingJob } from './protocol.js';
import type { TrainingBatchSettings } from '../../datasets/batches/settings.js';
import type { StageData } from '../loop/stageData.js';

/**
 * The data of a stage, from the packed data set; refinement's with the coarse predictions of its run.
 *
 * @param listener is called when the loader waits for its store; ends the wait while it opens.
 * @throws DatasetMissing, FormatError of the template or its masks
 */
export async function openStageData(job: TrainingJob, listener: LoaderListener): Promise<StageData> {
  const { run, stage, configuration } = job;
  const { storage, loader, seed } = configuration;
  const settings = configuration.training[stage];
  const model = stage === 'refinement' ? 'refinement' : 'coarse';
  const rotations: Pick<TrainingBatchSettings, 'gridRotations'> = settings.randomGridRotations
    ? { gridRotations: model }
    : {};
  const coarsePredictions =
    stage === 'refinement' ? ({ kind: 'store', storage, prefix: keys.predictions(run) } as const) : null;
  const batches = await openBatches(
    {
      source: packedDataset(job),
      ...viewChoiceOf(configuration),
      coarsePredictions,
      threads: loader.threads,
      decodedBytes: loader.decodedBytes,
      surfaceResolution: configuration.model.refinement.visibilityResolution,
    },
    loader.prefetch,
    listener,
  );
  return stageDataOf(batches, settings, { seed, ...rotations });
}

/** A loader's batches, as a stage asks for them. @param choice what the batches of every step have in common. */
export function stageDataOf(
  batches: Batches,
  stage: StageConfiguration,
  choice: Pick<TrainingBatchSettings, 'seed' | 'gridRotations'>,
): StageData {
  return {
    template: batches.template,
    regions: batches.regions,
    batch: (step) => batches.training(step, { stage, ...choice }, stage.iterations - 1),
    reuse: (batch) => batches.reuse(batch),
    validationBatches: () =>
      batches.validation({
        split: 'validation',
        batchSize: stage.batchSize,
        resizeFactor: stage.imageResizeFactor,
        scanPoints: stage.scanPoints,
        limit: stage.validationFrames,
      }),
    bytesRead: () => batches.bytesRead(),
    cacheCounts: () => batches.cacheCounts(),
    close: () => batches.close(),
  };
}

/**
 * The data set in the run's object store, through the cache on the worker's disk: the one that the worker says, of the size
 * that it says.
 */
export function packedDataset({
  configuration,
  workingDirectory,
  cache,
}: Pick<TrainingJob, 'configuration' | 'workingDirectory' | 'cache'>): LoaderSource {
  const { storage, dataset, loader } = configuration;
  return {
    kind: 'store',
    storage,
    dataset: dataset.name,
    cacheDirectory: cache?.directory ?? join(workingDirectory, 'cache'),
    cacheBytes: cache?.limitBytes ?? loader.cacheBytes,
    place: placeOf(dataset),
  };
}
