import { checkPublishedModel } from '../../training/published/loadPublishedModel.js';
import { fingerprintOf, referenceOf } from './loadModel.js';
import type { FolderPredictionJob } from './job.js';

/**
 * Looks whether a job's models are there, of the right stages and of its networks, without reading their weights: a mistake is
 * found before a workflow is started, or frames go through the other model.
 *
 * @throws as `loadModel`
 */
export async function checkModels(job: FolderPredictionJob): Promise<void> {
  for (const stage of job.stages === 'both' ? (['coarse', 'refinement'] as const) : [job.stages]) {
    const reference = referenceOf(job, stage);
    if (reference.kind === 'file') await checkPublishedModel(reference.path, stage, job.configuration.model);
    else await fingerprintOf(job, stage);
  }
}
