import type { RunConfiguration } from '../../../configs/schema/run.js';
import { loadConfiguration } from '../../../configs/load.js';
import { OrderedDictionary, PythonTensor } from '../../../datasets/formats/pytorch/pickleWriter.js';
import type { PytorchValue } from '../../../datasets/formats/pytorch/readPytorch.js';
import { counterRandom } from '../../../geometry/random.js';
import type { TensorLayout } from '../../../model/parameters/parameterLayout.js';

/** The miniature's networks, in an object store below a folder. */
export function smallConfiguration(folder: string): Promise<RunConfiguration> {
  return loadConfiguration('miniature', ['storage.kind=directory', `storage.path=${folder}`]);
}

/** Random numbers of a tensor, in the published layout. */
export function publishedValues({ name, publishedShape, role }: TensorLayout): Float32Array {
  const random = counterRandom(1, 'published', name);
  const size = publishedShape.reduce((product, side) => product * side, 1);
  const least = name.endsWith('.running_var') ? 0 : -0.5;
  return Float32Array.from({ length: size }, () => (role === 'counter' ? 4321 : random.uniform() + least));
}

export function publishedStates(layouts: readonly TensorLayout[]): Map<string | number, PytorchValue> {
  return new Map(
    layouts.map((layout) => [layout.name, { shape: layout.publishedShape, values: publishedValues(layout) }]),
  );
}

/** A state dict to be written as a `.pth`. */
export function writable(states: ReadonlyMap<string | number, PytorchValue>): OrderedDictionary {
  return new OrderedDictionary(
    new Map(
      [...states].map(([name, value]) => {
        const { shape, values } = value as { shape: readonly number[]; values: Float32Array };
        const isCounter = String(name).endsWith('num_batches_tracked');
        return [String(name), new PythonTensor(shape, isCounter ? Int32Array.from(values) : values)];
      }),
    ),
  );
}
