import {
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
  type Spend,
  type Vocabulary,
} from '../pickle/values.js';
import { isStorageType, type StorageType } from './storageTypes.js';

/** A run of numbers that stands outside of the pickle, in a member of its own. */
export class StorageReference extends PickleObject {
  constructor(
    readonly type: StorageType,
    readonly key: string,
    readonly elements: number,
  ) {
    super();
  }
}

/** A tensor: a view of a storage. */
export class TensorReference extends PickleObject {
  constructor(
    readonly storage: StorageReference,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    /** PyTorch's negative bit: the values are those of the storage with the other sign. */
    readonly isNegative: boolean,
  ) {
    super();
  }
}

/** PyTorch's own limit. */
const mostAxes = 64;
const tensorTypes = new Set(['torch.Tensor', 'torch._tensor.Tensor', 'torch.nn.parameter.Parameter']);

/** Tensors, and what PyTorch puts beside them: sizes, devices, layouts. */
export const torchVocabulary: Vocabulary = {
  call: (name, items, spend) => {
    switch (name) {
      case 'torch.Size':
        return items[0];
      case 'torch._utils._rebuild_tensor_v2':
        return rebuildTensor(items);
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state':
        return items[0] instanceof TensorReference ? items[0] : undefined;
      case 'torch._tensor._rebuild_from_type_v2':
        return rebuildFromType(items, spend);
      case 'torch.device':
        return deviceName(items);
      case 'torch.serialization._get_layout':
        return typeof items[0] === 'string' ? items[0] : undefined;
      default:
        return undefined;
    }
  },
  persistent: (id) => {
    if (!(id instanceof PickleTuple)) return undefined;
    const [kind, type, key, , elements, view] = id.items;
    if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') return undefined;
    const name = type.name.replace(/^torch\./, '');
    if (!isStorageType(name) || typeof elements !== 'number' || (view ?? null) !== null) return undefined;
    return new StorageReference(name, key, elements);
  },
};

/** (storage, offset, shape, strides, requires_grad, hooks, what else is known of the tensor) */
function rebuildTensor(items: readonly PickleValue[]): PickleObject | undefined {
  const [storage, offset, shape, strides, , , metadata = null] = items;
  const sides = wholeNumbers(shape);
  const steps = wholeNumbers(strides);
  const isNegative = negativeBit(metadata);
  if (!(storage instanceof StorageReference) || isNegative === undefined || items.length > 7) return undefined;
  if (!isWhole(offset) || !sides || sides.length !== steps?.length) return undefined;
  return new TensorReference(storage, offset, sides, steps, isNegative);
}

/** `neg` and `conj` are written where they are set; of real numbers the latter changes nothing. */
function negativeBit(metadata: PickleValue): boolean | undefined {
  if (metadata === null) return false;
  if (!(metadata instanceof Map) || metadata.size > 2) return undefined;
  for (const [key, value] of metadata) {
    if ((key !== 'neg' && key !== 'conj') || typeof value !== 'boolean') return undefined;
  }
  return metadata.get('neg') === true;
}

/** A tensor that carries attributes of Python: (how it is made, its class, with what, the attributes). */
function rebuildFromType(items: readonly PickleValue[], spend: Spend): PickleValue | undefined {
  const [maker, type, callArguments] = items;
  if (!(maker instanceof PickleGlobal) || !(type instanceof PickleGlobal) || !tensorTypes.has(type.name))
    return undefined;
  if (!(callArguments instanceof PickleTuple) || maker.name === 'torch._tensor._rebuild_from_type_v2') return undefined;
  return torchVocabulary.call(maker.name, callArguments.items, spend);
}

/** `cuda:0` */
function deviceName([kind, index]: readonly PickleValue[]): string | undefined {
  if (typeof kind !== 'string') return undefined;
  return typeof index === 'number' ? `${kind}:${index}` : kind;
}

function wholeNumbers(value: PickleValue | undefined): readonly number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined;
  return items !== undefined && items.length <= mostAxes && items.every(isWhole) ? items : undefined;
}

function isWhole(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
