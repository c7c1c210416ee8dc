import { FormatError } from '../formatError.js';
import { asFloat32, elementCount, type NpyArray } from '../numpy/npy.js';
import type { PytorchArchive } from './archive.js';
import { elementReader, storageTypes } from './storageTypes.js';
import type { StorageReference, TensorReference } from './torchVocabulary.js';

/** A tensor of a PyTorch file, in C order, in PyTorch's layout. */
export interface PytorchTensor {
  readonly shape: readonly number[];
  /** Floating types as 32-bit floats; whole numbers, false and true as Float64Array, exact up to 2^53. */
  readonly values: Float32Array | Float64Array;
}

/** Elements: ten times the largest of the published ones. */
const largestTensor = 2 ** 28;
/** Bytes of values for each of the file, and of a small file: tensors may share a storage, or repeat an element. */
const largestExpansion = 4;
const leastBudget = 1 << 26;

/** Reads tensors out of their storages: each storage once while tensors in a row use it. */
export class TensorReader {
  private last: { readonly key: string; readonly bytes: Uint8Array } | null = null;
  private left: number;

  constructor(
    private readonly archive: PytorchArchive,
    private readonly path: string,
  ) {
    this.left = Math.max(leastBudget, archive.length * largestExpansion);
  }

  /** @param name for messages. @throws FormatError */
  async tensor(reference: TensorReference, name: string): Promise<PytorchTensor> {
    const { storage, offset, shape, strides, isNegative } = reference;
    const size = elementCount(shape);
    const { floating, bytes: width } = storageTypes[storage.type];
    this.spend(size, floating, name, shape);
    const bytes = await this.storage(storage, name);
    const last = shape.reduce((index, side, axis) => index + (side - 1) * strides[axis]!, offset);
    const available = Math.floor(bytes.byteLength / width);
    if (size > 0 && last >= available) {
      throw this.problem(name, `a storage of ${last + 1} elements for [${shape.join(', ')}]`, `${available}`);
    }
    const values = floating ? new Float32Array(size) : new Float64Array(size);
    if (storage.type === 'FloatStorage' && isContiguous(shape, strides)) {
      new Uint8Array(values.buffer).set(bytes.subarray(offset * 4, (offset + size) * 4));
    } else {
      copyStrided(values, reference, elementReader(storage.type, bytes));
    }
    if (isNegative) for (let i = 0; i < size; i++) values[i] = -values[i]!;
    return { shape, values };
  }

  /** NumPy's numbers as a tensor. */
  array(array: NpyArray, name: string): PytorchTensor {
    const { shape, data } = array;
    const isFloating = data instanceof Float32Array || data instanceof Float64Array;
    this.spend(data.length, isFloating, name, shape);
    const values = isFloating ? asFloat32(array, this.path) : Float64Array.from(data as ArrayLike<number>, Number);
    return { shape, values };
  }

  /** A huge shape over a small storage (stride 0), or many tensors over one, would fill the memory. */
  private spend(size: number, floating: boolean, name: string, shape: readonly number[]): void {
    this.left -= size * (floating ? 4 : 8);
    if (size <= largestTensor && this.left >= 0) return;
    const expected = `at most ${largestExpansion} bytes of numbers for each of the file, and ${largestTensor} numbers a tensor`;
    throw this.problem(name, expected, `[${shape.join(', ')}] beside what was read`);
  }

  private async storage(storage: StorageReference, name: string): Promise<Uint8Array> {
    if (this.last?.key === storage.key) return this.last.bytes;
    const bytes = await this.archive.read(`data/${storage.key}`);
    const expected = storage.elements * storageTypes[storage.type].bytes;
    if (bytes.byteLength !== expected)
      throw this.problem(name, `a storage of ${expected} bytes`, `${bytes.byteLength}`);
    this.last = { key: storage.key, bytes };
    return bytes;
  }

  private problem(name: string, expected: string, found: string): FormatError {
    return new FormatError({ file: this.path, where: name && `tensor ${name.slice(0, 200)}`, expected, found });
  }
}

/** Whether elements follow one another in C order, as nearly all published tensors' do. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function copyStrided(
  values: Float32Array | Float64Array,
  { offset, shape, strides }: TensorReference,
  element: (index: number) => number,
): void {
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < values.length; i++) {
    values[i] = element(position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      position -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}
