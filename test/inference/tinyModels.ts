import { join } from 'node:path';
import { OrderedDictionary, PythonTensor } from '../../datasets/formats/pytorch/pickleWriter.js';
import { writePytorchFile } from '../../datasets/formats/pytorch/writePytorch.js';
import { toPublished } from '../../model/parameters/layoutConversion.js';
import { initialValues } from '../../model/parameters/modelState.js';
import { coarseLayout, refinementLayout, type TensorLayout } from '../../model/parameters/parameterLayout.js';
import { goldenVertexCount } from '../support/golden/goldenModel.js';
import { tinyNetworks } from './folderJob.js';

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

/** Writes `coarse.pth` and `refinement.pth` of the tiny networks into a folder. */
export async function writeTinyModels(folder: string, seed = 1): Promise<void> {
  const { coarse, refinement } = tinyNetworks.model;
  await writeCheckpoint(join(folder, 'coarse.pth'), coarseLayout(coarse, goldenVertexCount), untrained(seed));
  await writeCheckpoint(join(folder, 'refinement.pth'), refinementLayout(refinement), untrained(seed));
}
