import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { FolderPredictionJob, FolderStages } from '../../inference/folders/job.js';
import { listSha256 } from '../../inference/folders/list.js';
import { tinyConfiguration } from '../training/stages/tinyStage.js';

/** Networks of a fraction of a second, for the golden case's images. */
export const tinyNetworks: RunConfiguration = tinyConfiguration({
  storage: { kind: 'directory', path: '/nonexistent' },
});

/** Prediction of the golden case's two frames from a folder's data, by a folder's tiny models. */
export function folderJob(
  stages: FolderStages,
  { data, models, out }: { readonly data: string; readonly models: string; readonly out: string },
  changes: Partial<FolderPredictionJob> = {},
): FolderPredictionJob {
  const path = join(data, 'list.json');
  const text = readFileSync(path, 'utf8');
  return {
    stages,
    configuration: tinyNetworks,
    models: {
      coarse: stages === 'refinement' ? null : { kind: 'file', path: join(models, 'coarse.pth') },
      refinement: stages === 'coarse' ? null : { kind: 'file', path: join(models, 'refinement.pth') },
    },
    template: { kind: 'file', path: join(data, 'template.obj') },
    list: { path, sha256: listSha256(text), from: 0, to: 2 },
    images: join(data, 'images'),
    calibrations: join(data, 'calibrations'),
    coarsePredictions: stages === 'refinement' ? join(data, 'predictions') : null,
    outputs: {
      coarse: stages === 'coarse' ? out : null,
      refinement: stages === 'coarse' ? null : out,
    },
    strict: false,
    overwrite: false,
    ...changes,
  };
}
