import { basename } from 'node:path';
import { FormatError, listed } from '../formatError.js';
import { NumpyArray, numpyVocabulary } from '../pickle/numpyVocabulary.js';
import { readPickle } from '../pickle/pickleReader.js';
import { plainVocabulary } from '../pickle/plainVocabulary.js';
import {
  PickleGlobal,
  PickleInstance,
  PickleObject,
  PickleSet,
  PickleTuple,
  type PickleValue,
} from '../pickle/values.js';
import { openPytorchArchive, type PytorchArchive } from './archive.js';
import { TensorReader, type PytorchTensor } from './tensorReader.js';
import { TensorReference, torchVocabulary } from './torchVocabulary.js';

export type { PytorchTensor } from './tensorReader.js';

/**
 * A PyTorch file as plain data: dictionaries and namespaces as Maps, lists, tuples and sets as arrays, tensors and
 * arrays of NumPy's numbers as PytorchTensor, NumPy's single numbers as numbers, devices and classes as their names. What
 * the file shares is shared here, too.
 */
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

/** Levels of dictionaries and lists in one another; a state dict has two. */
const deepest = 100;

/**
 * Reads a file that `torch.save` wrote (`.pth`, ZIP format): state dicts, optimiser states, options. Its pickle is read
 * by a machine that builds plain data and tensors and refuses every other name: nothing is executed.
 * Storages may be shared, strided, negative, of half precision.
 *
 * @param leftOut keys of the outermost dictionary that are not wanted: their storages are not read.
 * @throws FormatError naming the member, the byte, the tensor
 */
export async function readPytorchFile(path: string, leftOut: readonly string[] = []): Promise<PytorchValue> {
  return readWith((archive) => new TensorReader(archive, path), path, leftOut);
}

/**
 * What such a file has where: tensors with their shapes, and without values. Its storages are not read, so that it takes
 * milliseconds.
 *
 * @param leftOut as of `readPytorchFile`. @throws FormatError
 */
export async function outlinePytorchFile(path: string, leftOut: readonly string[] = []): Promise<PytorchValue> {
  const none = new Float32Array(0);
  const tensors: Tensors = {
    tensor: ({ shape }) => Promise.resolve({ shape, values: none }),
    array: ({ shape }) => ({ shape, values: none }),
  };
  return readWith(() => tensors, path, leftOut);
}

type Tensors = Pick<TensorReader, 'tensor' | 'array'>;

async function readWith(
  tensorsOf: (archive: PytorchArchive) => Tensors,
  path: string,
  leftOut: readonly string[],
): Promise<PytorchValue> {
  const archive = await openPytorchArchive(path);
  try {
    if (archive.has('byteorder')) {
      const order = (await archive.read('byteorder')).toString('latin1').trim();
      if (order !== 'little') {
        throw new FormatError({ file: path, where: 'member byteorder', expected: 'little', found: order.slice(0, 20) });
      }
    }
    const place = { file: path, where: 'member data.pkl', advice: savedAnew(path) };
    const vocabularies = [torchVocabulary, plainVocabulary, numpyVocabulary];
    const tree = readPickle(await archive.read('data.pkl'), vocabularies, place);
    if (tree instanceof Map) for (const key of leftOut) tree.delete(key);
    return await new Materializer(tensorsOf(archive), path).value(tree, '', 0);
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

/** For files with objects of other programs. */
function savedAnew(path: string): string {
  const [from, to] = [basename(path), basename(path).replace(/(\.\w+)?$/, '.weights.pth')].map((name) =>
    name.replace(/[^\w.-]/g, '_'),
  );
  return (
    'If you trust the file, save what is needed of it with PyTorch: python3 -c "import torch; ' +
    `c = torch.load('${from}', map_location='cpu', weights_only=False); torch.save(c.state_dict() if hasattr(c, 'state_dict') ` +
    `else {k: c[k] for k in ('model', 'state_dict', 'optimizer_model') if k in c} or c, '${to}')"`
  );
}

/** Turns the pickle's tree into values. */
class Materializer {
  private readonly made = new Map<object, PytorchValue>();
  private readonly underWay = new Set<object>();

  constructor(
    private readonly tensors: Tensors,
    private readonly path: string,
  ) {}

  async value(tree: PickleValue, name: string, depth: number): Promise<PytorchValue> {
    if (typeof tree !== 'object' || tree === null || tree instanceof Uint8Array) return tree;
    const known = this.made.get(tree);
    if (known !== undefined) return known;
    if (this.underWay.has(tree)) throw this.problem(name, 'data that end', 'a collection that holds itself');
    if (depth > deepest) throw this.problem(name, `at most ${deepest} levels of collections`, 'more');
    this.underWay.add(tree);
    const value = await this.make(tree, name, depth + 1);
    this.underWay.delete(tree);
    this.made.set(tree, value);
    return value;
  }

  private async make(tree: Exclude<PickleValue, null> & object, name: string, depth: number): Promise<PytorchValue> {
    if (tree instanceof TensorReference) return this.tensors.tensor(tree, name);
    if (tree instanceof PickleTuple || tree instanceof PickleSet) return this.list(tree.items, name, depth);
    if (Array.isArray(tree)) return this.list(tree, name, depth);
    if (tree instanceof Map) return this.dictionary(tree, name, depth);
    if (tree instanceof PickleInstance) return this.dictionary(tree.entries(), name, depth);
    if (tree instanceof PickleGlobal) return tree.name;
    if (tree instanceof NumpyArray) {
      if (tree.objects !== null) return this.list(tree.objects, name, depth);
      const problem = (expected: string, found: string): FormatError => this.problem(name, expected, found);
      const numbers = tree.numbers(problem);
      if (numbers !== null) return this.tensors.array(numbers, name);
    }
    throw this.problem(
      name,
      'plain data or a tensor',
      tree instanceof PickleObject ? 'a part of one by itself' : 'others',
    );
  }

  private async dictionary(
    entries: Iterable<readonly [PickleValue, PickleValue]>,
    name: string,
    depth: number,
  ): Promise<PytorchValue> {
    const result = new Map<string | number, PytorchValue>();
    for (const [given, item] of entries) {
      const key = keyOf(given);
      if (key === null) throw this.problem(name, 'keys of text or numbers', 'others');
      if (result.has(key)) throw this.problem(name, 'each key once', `${listed([String(key)])} again`);
      result.set(key, await this.value(item, name ? `${name}.${key}` : String(key), depth));
    }
    return result;
  }

  private async list(items: readonly PickleValue[], name: string, depth: number): Promise<PytorchValue[]> {
    const values: PytorchValue[] = [];
    for (const [index, item] of items.entries()) values.push(await this.value(item, `${name}[${index}]`, depth));
    return values;
  }

  private problem(name: string, expected: string, found: string): FormatError {
    return new FormatError({ file: this.path, where: name && `entry ${name.slice(0, 200)}`, expected, found });
  }
}

/** Pairs and the like are keys of options, not of weights: their text does. */
function keyOf(key: PickleValue): string | number | null {
  if (typeof key === 'string' || typeof key === 'number') return key;
  if (key === null || typeof key === 'boolean' || typeof key === 'bigint') return String(key);
  if (key instanceof PickleGlobal) return key.name;
  if (!(key instanceof PickleTuple) || key.items.length > 8) return null;
  const parts = key.items.map((item) => (typeof item === 'object' ? null : String(item).slice(0, 100)));
  return parts.includes(null) ? null : `(${parts.join(', ')})`;
}
