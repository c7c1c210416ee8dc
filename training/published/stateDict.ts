import { OrderedDictionary, PythonTensor } from '../../datasets/formats/pytorch/pickleWriter.js';
import type { PytorchTensor, PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import { fromPublished, toPublished } from '../../model/layoutConversion.js';
import type { TensorLayout } from '../../model/parameterLayout.js';
import { fitting } from '../../checkpoints/fitting.js';
import type { NamedArray, NamedArrays } from '../../checkpoints/safetensors.js';

export type StateDict = ReadonlyMap<string | number, PytorchValue>;

/**
 * The tensors of a published state dict in our layouts.
 *
 * @param layouts of all tensors that there should be.
 * @param problems gets a line for each tensor that is missing, unexpected or misshapen, and for what is no tensor.
 * @returns those that fit.
 */
export function fromStateDict(
  layouts: readonly TensorLayout[],
  dictionary: StateDict,
  problems: string[],
): Record<string, NamedArray> {
  const arrays: Record<string, NamedArray> = {};
  for (const layout of layouts) {
    const published = publishedTensor(dictionary.get(layout.name), layout.name, layout.publishedShape, problems);
    if (published) arrays[layout.name] = { shape: layout.shape, values: ourValues(layout, published) };
  }
  const names = new Set<string | number>(layouts.map(({ name }) => name));
  for (const name of dictionary.keys()) if (!names.has(name)) problems.push(`unexpected: ${name}`);
  return arrays;
}

/** The inverse: our arrays as PyTorch has them, in the published order. @throws CheckpointMismatch */
export function toStateDict(
  layouts: readonly TensorLayout[],
  arrays: NamedArrays,
  checkpoint: string,
): OrderedDictionary {
  return new OrderedDictionary(
    new Map(
      layouts.map((layout) => {
        const { values } = fitting(arrays, layout.name, layout.shape, checkpoint);
        return [layout.name, new PythonTensor(layout.publishedShape, toPublished(layout, values))];
      }),
    ),
  );
}

/** A value if it is a tensor of that shape; else a problem says what is wrong. */
export function publishedTensor(
  value: PytorchValue | undefined,
  name: string,
  shape: readonly number[],
  problems: string[],
): PytorchTensor | null {
  const expected = `[${shape.join(', ')}]`;
  if (value === undefined) problems.push(`missing: ${name} ${expected}`);
  else if (!isTensor(value)) problems.push(`misshapen: ${name} is no tensor, but should be one of ${expected}`);
  else if (value.shape.join() !== shape.join()) {
    problems.push(`misshapen: ${name} is [${value.shape.join(', ')}], but should be ${expected}`);
  } else return value;
  return null;
}

export function isTensor(value: PytorchValue | undefined): value is PytorchTensor {
  return typeof value === 'object' && value !== null && 'values' in value && 'shape' in value;
}

function ourValues(layout: TensorLayout, { values }: PytorchTensor): Float32Array | Int32Array {
  return layout.role === 'counter' ? Int32Array.from(values) : fromPublished(layout, values);
}
