import {
  PickleInstance,
  PickleSet,
  PickleTuple,
  PickleGlobal,
  type PickleValue,
  type Spend,
  type Vocabulary,
} from './values.js';

/** Python 2 has other names for the modules of Python 3. */
const oldModules: Readonly<Record<string, string>> = { __builtin__: 'builtins', copy_reg: 'copyreg' };

/** Objects that are no more than their attributes. */
const namespaces = new Set(['argparse.Namespace', 'types.SimpleNamespace']);

/** Collections, bytes, paths and namespaces of Python's own library. */
export const plainVocabulary: Vocabulary = {
  call: (given, items, spend) => {
    const dot = given.indexOf('.');
    const module = given.slice(0, dot);
    const name = Object.hasOwn(oldModules, module) ? `${oldModules[module]!}${given.slice(dot)}` : given;
    if (namespaces.has(name)) return items.length === 0 ? new PickleInstance(name) : undefined;
    switch (name) {
      case 'collections.OrderedDict':
        return items.length === 0 ? new Map() : dictionaryOf(items[0], spend);
      case 'collections.defaultdict':
        return items.length <= 1 ? new Map() : undefined;
      case 'builtins.set':
      case 'builtins.frozenset':
        return setOf(items[0] ?? [], spend);
      case 'builtins.bytes':
        return items.length === 0 ? new Uint8Array(0) : undefined;
      case 'builtins.bytearray':
        return items.length === 0 ? new Uint8Array(0) : bytesOf(items, spend);
      case '_codecs.encode':
        return bytesOf(items, spend);
      case 'pathlib.PosixPath':
      case 'pathlib.WindowsPath':
      case 'pathlib._local.PosixPath':
      case 'pathlib._local.WindowsPath':
        return pathOf(items, name.endsWith('Windows') ? '\\' : '/', spend);
      default:
        return undefined;
    }
  },
};

/** A class that is made without arguments and then gets its attributes; old protocols call a helper for it. */
export function instancesOf(isKnown: (name: string) => boolean): Vocabulary {
  return {
    call: (name, items) => {
      if (isKnown(name)) return items.length === 0 ? new PickleInstance(name) : undefined;
      const [made, base] = items;
      const isHelper = name === 'copyreg._reconstructor' || name === 'copy_reg._reconstructor';
      if (!isHelper || !(made instanceof PickleGlobal) || !(base instanceof PickleGlobal)) return undefined;
      return isKnown(made.name) && /^(builtins|__builtin__)\.object$/.test(base.name)
        ? new PickleInstance(made.name)
        : undefined;
    },
  };
}

function dictionaryOf(pairs: PickleValue | undefined, spend: Spend): PickleValue | undefined {
  if (!Array.isArray(pairs)) return undefined;
  spend(pairs.length);
  const result = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    const items = pair instanceof PickleTuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2) return undefined;
    result.set(items[0] as PickleValue, items[1] as PickleValue);
  }
  return result;
}

function setOf(items: PickleValue, spend: Spend): PickleValue | undefined {
  if (!Array.isArray(items)) return undefined;
  spend(items.length);
  return new PickleSet([...items]);
}

/** Bytes are written as text of Latin-1 by protocol 2. */
function bytesOf([value, encoding]: readonly PickleValue[], spend: Spend): PickleValue | undefined {
  if (value instanceof Uint8Array) return value;
  const isLatin = typeof encoding === 'string' && /^latin-?1$/.test(encoding);
  if (typeof value !== 'string' || !isLatin || /[\u0100-\uffff]/.test(value)) return undefined;
  spend(value.length);
  return Buffer.from(value, 'latin1');
}

function pathOf(parts: readonly PickleValue[], separator: string, spend: Spend): PickleValue | undefined {
  spend(parts.length);
  if (!parts.every((part) => typeof part === 'string')) return undefined;
  spend(parts.reduce((sum, part) => sum + part.length, 0));
  const [root = '', ...rest] = parts;
  return (root.endsWith(separator) ? root : root && root + separator) + rest.join(separator);
}
