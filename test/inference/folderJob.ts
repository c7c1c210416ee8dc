import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { OrderedDictionary, PythonTensor } from '../../datasets/formats/pytorch/pickleWriter.js';
import { writePytorchFile } from '../../datasets/formats/pytorch/writePytorch.js';
import type { FolderPredictionJob, FolderStages } from '../../inference/folders/job.js';
import { listSha256 } from '../../inference/folders/list.js';
import { toPublished } from '../../model/parameters/layoutConversion.js';
import { initialValues } from '../../model/parameters/modelState.js';
import { coarseLayout, refinementLayout, type TensorLayout } from '../../model/parameters/parameterLayout.js';
import { goldenVertexCount } from '../support/golden/goldenModel.js';
import { tinyConfiguration } from '../training/stages/tinyStage.js';

/** Values of a tensor in the published layout. */
export type PublishedValues = (layout: TensorLayout) => Float32Array;

/** Writes a `.pth` as the published training does, without an optimiser. */
export async function writeCheckpoint(
  file: string,
  layouts: readonly TensorLayout[],
  values: PublishedValues,
): Promise<void> {
  const states = layouts.map((layout): [string, PythonTensor] => {
    const numbers = values(layout);
    return [
      layout.name,
      new PythonTensor(layout.publishedShape, layout.role === 'counter' ? Int32Array.from(numbers) : numbers),
    ];
  });
  await writePytorchFile(file, new Map([['model', new OrderedDictionary(new Map(states))]]));
}

/** A network's numbers before training. */
export function untrained(seed: number): PublishedValues {
  return (layout) => {
    const values = initialValues(layout, seed);
    return layout.role === 'counter' ? Float32Array.from(values) : toPublished(layout, values as Float32Array);
  };
}

/** Networks of a fraction of a second, for the golden case's images. */
export const tinyNetworks: RunConfiguration = tinyConfiguration({
  storage: { kind: 'directory', path: '/nonexistent' },
});

/** Writes `coarse.pth` and `refinement.pth` of the tiny networks into a folder. */
export async function writeTinyModels(folder: string, seed = 1): Promise<void> {
  const { coarse, refinement } = tinyNetworks.model;
  await writeCheckpoint(join(folder, 'coarse.pth'), coarseLayout(coarse, goldenVertexCount), untrained(seed));
  await writeCheckpoint(join(folder, 'refinement.pth'), refinementLayout(refinement), untrained(seed));
}

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
