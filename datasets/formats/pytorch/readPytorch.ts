import { FormatError } from '../formatError.js';
import { openPytorchArchive, type PytorchArchive } from './archive.js';
import { PickleGlobal, PickleObject, PickleTuple, readPickle, type PickleValue } from './pickleReader.js';
import { elementReader, isStorageType, storageTypes, type StorageType } from './storageTypes.js';

/** A tensor of a PyTorch file, in C order, in PyTorch's layout. */
export interface PytorchTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A PyTorch file as plain data: dictionaries as Maps, lists and tuples as arrays, tensors as PytorchTensor. */
export type PytorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PytorchValue[]
  | Map<string | number, PytorchValue>
  | PytorchTensor;

/** Ten times the largest of the published ones. */
const largestTensor = 2 ** 28;

class StorageReference {
  constructor(
    readonly type: StorageType,
    readonly key: string,
    readonly elements: number,
  ) {}
}

class TensorReference {
  constructor(
    readonly storage: StorageReference,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/**
 * Reads a file that `torch.save` wrote (`.pth`, ZIP format): state dicts, optimiser states, options. Its pickle is read
 * by a machine that builds plain data and tensors and refuses every other name: nothing is executed.
 * Storages may be shared, strided, of half precision; each tensor comes as 32-bit floats of its own.
 *
 * @param leftOut keys of the outermost dictionary that are not wanted: their storages are not read.
 * @throws FormatError naming the member, the byte, the tensor
 */
export async function readPytorchFile(path: string, leftOut: readonly string[] = []): Promise<PytorchValue> {
  const archive = await openPytorchArchive(path);
  try {
    if (archive.has('byteorder')) {
      const order = (await archive.read('byteorder')).toString('latin1').trim();
      if (order !== 'little') {
        throw new FormatError({ file: path, where: 'member byteorder', expected: 'little', found: order });
      }
    }
    const tree = readTree(await archive.read('data.pkl'), path);
    if (tree instanceof Map) for (const key of leftOut) tree.delete(key);
    return await new Materializer(archive, path).value(tree);
  } finally {
    archive.close();
  }
}

/** What tells one PyTorch file from another by their content, without reading it whole. @throws FormatError */
export async function fingerprintPytorchFile(path: string): Promise<string> {
  const archive = await openPytorchArchive(path);
  archive.close();
  return archive.fingerprint;
}

function readTree(pickle: Uint8Array, path: string): PickleValue {
  return readPickle(
    pickle,
    {
      call: (name, items) => {
        switch (name) {
          case 'collections.OrderedDict':
            return items.length === 0 ? new Map() : undefined;
          case 'torch.Size':
            return items[0];
          case 'torch._utils._rebuild_tensor_v2':
            return rebuildTensor(items);
          case 'torch._utils._rebuild_parameter':
            return items[0];
          default:
            return undefined;
        }
      },
      persistent: (id) => storageReference(id),
    },
    path,
    'member data.pkl',
  );
}

function storageReference(id: PickleValue): PickleObject | undefined {
  if (!(id instanceof PickleTuple)) return undefined;
  const [kind, type, key, , elements] = id.items;
  if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') return undefined;
  const name = type.name.replace(/^torch\./, '');
  if (!isStorageType(name) || typeof elements !== 'number') return undefined;
  return new PickleObject(new StorageReference(name, key, elements));
}

function rebuildTensor(items: readonly PickleValue[]): PickleObject | undefined {
  const [storage, offset, shape, strides] = items;
  const sides = wholeNumbers(shape);
  const steps = wholeNumbers(strides);
  if (!(storage instanceof PickleObject) || !(storage.value instanceof StorageReference)) return undefined;
  if (typeof offset !== 'number' || offset < 0 || !sides || sides.length !== steps?.length) return undefined;
  return new PickleObject(new TensorReference(storage.value, offset, sides, steps));
}

function wholeNumbers(value: PickleValue | undefined): number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined;
  const numbers = items?.filter(
    (item): item is number => typeof item === 'number' && Number.isInteger(item) && item >= 0,
  );
  return numbers && numbers.length === items?.length ? numbers : undefined;
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

/** Turns the pickle's tree into values, reading each storage once and only while tensors use it. */
class Materializer {
  private last: { readonly key: string; readonly bytes: Uint8Array } | null = null;

  constructor(
    private readonly archive: PytorchArchive,
    private readonly path: string,
  ) {}

  async value(tree: PickleValue, name = ''): Promise<PytorchValue> {
    if (tree instanceof PickleObject) {
      if (tree.value instanceof TensorReference) return this.tensor(tree.value, name);
      throw this.problem(name, 'a tensor', 'a storage by itself');
    }
    if (tree instanceof PickleTuple) return this.list(tree.items, name);
    if (Array.isArray(tree)) return this.list(tree, name);
    if (tree instanceof Map) {
      const result = new Map<string | number, PytorchValue>();
      for (const [key, item] of tree) {
        if (typeof key !== 'string' && typeof key !== 'number')
          throw this.problem(name, 'keys of text or numbers', 'others');
        result.set(key, await this.value(item, name ? `${name}.${key}` : String(key)));
      }
      return result;
    }
    if (tree instanceof PickleGlobal) return tree.name;
    return tree;
  }

  private async list(items: readonly PickleValue[], name: string): Promise<PytorchValue[]> {
    const values: PytorchValue[] = [];
    for (const [index, item] of items.entries()) values.push(await this.value(item, `${name}[${index}]`));
    return values;
  }

  private async tensor(reference: TensorReference, name: string): Promise<PytorchTensor> {
    const { storage, offset, shape, strides } = reference;
    const bytes = await this.storage(storage, name);
    const size = shape.reduce((product, side) => product * side, 1);
    // Of what is not expanded (stride 0), a tensor has no more elements than its storage: a huge shape is a lie.
    if (size > largestTensor) throw this.problem(name, `at most ${largestTensor} elements`, `[${shape.join(', ')}]`);
    const last = shape.reduce((index, side, axis) => index + (side - 1) * strides[axis]!, offset);
    const available = Math.floor(bytes.byteLength / storageTypes[storage.type].bytes);
    if (size > 0 && last >= available) {
      throw this.problem(name, `a storage of ${last + 1} elements for [${shape.join(', ')}]`, `${available}`);
    }
    const values = new Float32Array(size);
    if (storage.type === 'FloatStorage' && isContiguous(shape, strides)) {
      new Uint8Array(values.buffer).set(bytes.subarray(offset * 4, (offset + size) * 4));
      return { shape, values };
    }
    const element = elementReader(storage.type, bytes);
    const index = new Array<number>(shape.length).fill(0);
    let position = offset;
    for (let i = 0; i < size; i++) {
      values[i] = element(position);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        position += strides[axis]!;
        index[axis]!++;
        if (index[axis]! < shape[axis]!) break;
        position -= strides[axis]! * shape[axis]!;
        index[axis] = 0;
      }
    }
    return { shape, values };
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
    return new FormatError({ file: this.path, where: name && `tensor ${name}`, expected, found });
  }
}
