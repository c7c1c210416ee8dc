import { decodeElements, elementCount, mostAxes, type NpyArray } from '../numpy/npy.js';
import { PickleGlobal, PickleObject, PickleTuple, type PickleValue, type Vocabulary } from './values.js';

/** Bytes. */
const largestScalar = 16;

/** A type of elements: `f8`, with its byte order; `O` of objects. */
export class NumpyType extends PickleObject {
  private order = '|';

  /** @param kind letter and size. */
  constructor(private readonly kind: string) {
    super();
  }

  get isObject(): boolean {
    return /^[O]\d*$/.test(this.kind);
  }

  /** As in the header of an `.npy` file. */
  get descriptor(): string {
    return this.order + this.kind;
  }

  /** (version, byte order, subtype, names, fields, …): of plain numbers the middle ones are None. */
  override setState(state: PickleValue): boolean {
    if (!(state instanceof PickleTuple)) return false;
    const [, order, ...fields] = state.items;
    if (typeof order !== 'string' || !/^[<>|=]$/.test(order)) return false;
    if (fields.slice(0, 3).some((field) => field !== null)) return false;
    this.order = order;
    return true;
  }
}

/** An array inside of a pickle: its elements are decoded when they are asked for. */
export class NumpyArray extends PickleObject {
  private sides: readonly number[] = [0];
  private type: NumpyType | null = null;
  private isFortran = false;
  /** Bytes of numbers, or text of Latin-1 that stands for them (protocol 2). */
  private content: Uint8Array | string | readonly PickleValue[] = [];

  get shape(): readonly number[] {
    return this.sides;
  }

  /** Its objects, in C order; null for an array of numbers. */
  get objects(): readonly PickleValue[] | null {
    return this.content instanceof Uint8Array || typeof this.content === 'string' ? null : this.content;
  }

  /** Its numbers; null for an array of objects. @throws what `problem` makes of elements that are no numbers */
  numbers(problem: (expected: string, found: string) => Error): NpyArray | null {
    const { content, type } = this;
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    if (!(bytes instanceof Uint8Array) || type === null) return null;
    return decodeElements(type.descriptor, this.sides, this.isFortran, bytes, problem);
  }

  /** (version, shape, type, in columns first, content) */
  override setState(state: PickleValue): boolean {
    if (!(state instanceof PickleTuple)) return false;
    const [, shape, type, isFortran, content] = state.items;
    return this.fill(shape, type, isFortran, content);
  }

  fill(
    shape: PickleValue | undefined,
    type: PickleValue | undefined,
    isFortran: PickleValue | undefined,
    content: PickleValue | undefined,
  ): boolean {
    const sides = shape instanceof PickleTuple ? shape.items : null;
    if (sides === null || sides.length > mostAxes || !sides.every(isSide) || !(type instanceof NumpyType)) return false;
    // Objects in another order than C's would have to be moved: NumPy writes such for transposed arrays only.
    const isOrdered = isFortran !== true || sides.length < 2;
    const isRight = type.isObject
      ? Array.isArray(content) && content.length === elementCount(sides) && isOrdered
      : content instanceof Uint8Array || typeof content === 'string';
    if (!isRight) return false;
    this.sides = sides;
    this.type = type;
    this.isFortran = isFortran === true;
    this.content = content as Uint8Array | string | readonly PickleValue[];
    return true;
  }
}

/** Types, numbers and arrays of NumPy, under the names of version 1 (`numpy.core`) and 2 (`numpy._core`). */
export const numpyVocabulary: Vocabulary = {
  call: (given, items) => {
    switch (given.replace(/^numpy\._core\./, 'numpy.core.')) {
      case 'numpy.dtype':
        return typeof items[0] === 'string' ? new NumpyType(items[0]) : undefined;
      case 'numpy.core.multiarray.scalar':
        return scalarOf(items);
      case 'numpy.core.multiarray._reconstruct': {
        const [kind] = items;
        return kind instanceof PickleGlobal && kind.name === 'numpy.ndarray' ? new NumpyArray() : undefined;
      }
      case 'numpy.core.numeric._frombuffer': {
        const [content, type, shape, order] = items;
        const array = new NumpyArray();
        return array.fill(shape, type, order === 'F', content) ? array : undefined;
      }
      default:
        return undefined;
    }
  },
};

/** One number. Text and dates are not read. */
function scalarOf([type, content]: readonly PickleValue[]): PickleValue | undefined {
  if (!(type instanceof NumpyType) || type.isObject) return undefined;
  if (!(content instanceof Uint8Array || typeof content === 'string') || content.length > largestScalar)
    return undefined;
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const unread = new Error('no number');
  try {
    const { data, isBoolean } = decodeElements(type.descriptor, [], false, bytes, () => unread);
    const value = data[0]!;
    if (isBoolean) return value === 1;
    return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  } catch (cause) {
    if (cause !== unread) throw cause;
    return undefined;
  }
}

function isSide(value: PickleValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
