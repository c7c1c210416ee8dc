import { OrderedDictionary, PythonTensor } from '../../datasets/formats/pytorch/pickleWriter.js';
import type { PytorchTensor, PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import { fromPublished, toPublished } from '../../model/parameters/layoutConversion.js';
import type { TensorLayout } from '../../model/parameters/parameterLayout.js';
import { fitting } from '../../checkpoints/reading/fitting.js';
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
    const { name, shape, role } = layout;
    const published = publishedTensor(dictionary.get(name), name, layout.publishedShape, problems);
    if (published === null) continue;
    if (role === 'counter') {
      if (isCount(published, name, problems)) arrays[name] = { shape, values: Int32Array.from(published.values) };
      continue;
    }
    const least = name.endsWith('.running_var') ? 0 : -Infinity;
    const values = finiteValues(published, name, least, problems);
    if (values !== null) arrays[name] = { shape, values: fromPublished(layout, values) };
  }
  problems.push(...unexpected(layouts, dictionary));
  return arrays;
}

/** A line for each tensor of a published state dict that is missing, unexpected or misshapen; values are not looked at. */
export function misfits(layouts: readonly TensorLayout[], dictionary: StateDict): string[] {
  const problems: string[] = [];
  for (const { name, publishedShape } of layouts) publishedTensor(dictionary.get(name), name, publishedShape, problems);
  return [...problems, ...unexpected(layouts, dictionary)];
}

function unexpected(layouts: readonly TensorLayout[], dictionary: StateDict): string[] {
  const names = new Set<string | number>(layouts.map(({ name }) => name));
  return [...dictionary.keys()].filter((name) => !names.has(name)).map((name) => `unexpected: ${name}`);
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
  else if (!isTensor(value)) problems.push(`misshapen: ${name} is not a tensor, but should be one of ${expected}`);
  else if (value.shape.join() !== shape.join()) {
    problems.push(`misshapen: ${name} is [${value.shape.join(', ')}], but should be ${expected}`);
  } else return value;
  return null;
}

export function isTensor(value: PytorchValue | undefined): value is PytorchTensor {
  return typeof value === 'object' && value !== null && 'values' in value && 'shape' in value;
}

/**
 * A tensor's values, if all of them are finite numbers of at least `least`; else a problem names the first that is not:
 * PyTorch loads such a file, and every prediction from it is NaN.
 */
export function finiteValues(
  { values, shape }: PytorchTensor,
  name: string,
  least: number,
  problems: string[],
): Float32Array | null {
  if (!(values instanceof Float32Array)) {
    problems.push(`wrong type: ${name} holds whole numbers, but should hold floating ones`);
    return null;
  }
  let wrong = 0;
  let first = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) && values[i]! >= least) continue;
    if (wrong === 0) first = i;
    wrong++;
  }
  if (wrong === 0) return values;
  const expected = least === 0 ? 'a finite number of at least 0' : 'a finite number';
  const many = `${wrong} of its ${values.length} numbers`;
  problems.push(`unusable: ${name}${placeIn(shape, first)} is ${values[first]}, but should be ${expected} (${many})`);
  return null;
}

/** `[1, 0, 2]`, of an element by its number in C order. */
function placeIn(shape: readonly number[], element: number): string {
  const place: number[] = [];
  for (let axis = shape.length - 1, rest = element; axis >= 0; axis--) {
    place.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return place.length === 0 ? '' : `[${place.join(', ')}]`;
}

const largestCount = 2 ** 31 - 1;

function isCount({ values }: PytorchTensor, name: string, problems: string[]): boolean {
  const wrong = values.find((value) => !(Number.isInteger(value) && value >= 0 && value <= largestCount));
  if (wrong === undefined) return true;
  problems.push(`unusable: ${name} is ${wrong}, but should be a whole number of at least 0`);
  return false;
}
