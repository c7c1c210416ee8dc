import { opcode } from '../pickle/opcodes.js';

/** What Python is to read as a float even where it is a whole number, such as a learning rate of 1. */
export class PythonFloat {
  constructor(readonly value: number) {}
}

/** A tuple of Python, to be written as one. */
export class PythonTuple {
  constructor(readonly items: readonly PythonValue[]) {}
}

/** `collections.OrderedDict`, which PyTorch's state dicts are. */
export class OrderedDictionary {
  constructor(readonly entries: ReadonlyMap<string, PythonValue>) {}
}

/** A tensor in C order; 32-bit integers are written as PyTorch's 64-bit ones. */
export class PythonTensor {
  constructor(
    readonly shape: readonly number[],
    readonly values: Float32Array | Int32Array,
  ) {}
}

/** Whole numbers become `int`, others `float`; a Map a `dict`; an array a `list`. */
export type PythonValue =
  | null
  | boolean
  | number
  | string
  | PythonFloat
  | PythonTuple
  | OrderedDictionary
  | PythonTensor
  | readonly PythonValue[]
  | ReadonlyMap<string | number, PythonValue>;

/**
 * Writes a Python pickle of protocol 2, as `torch.save` does: tensors as calls of `_rebuild_tensor_v2` on storages that
 * stand outside of it.
 *
 * @param storage is called for each tensor, in order. @returns the storage's key.
 */
export function writePickle(value: PythonValue, storage: (tensor: PythonTensor) => string): Uint8Array {
  const writer = new PickleWriter(storage);
  writer.byte(opcode.protocol, 2);
  writer.value(value);
  writer.byte(opcode.stop);
  return writer.bytes();
}

class PickleWriter {
  private readonly chunks: Buffer[] = [];

  constructor(private readonly storage: (tensor: PythonTensor) => string) {}

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }

  byte(...values: number[]): void {
    this.chunks.push(Buffer.from(values));
  }

  value(value: PythonValue): void {
    if (value === null) this.byte(opcode.none);
    else if (typeof value === 'boolean') this.byte(value ? opcode.newTrue : opcode.newFalse);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.text(value);
    else if (value instanceof PythonFloat) this.float(value.value);
    else if (value instanceof PythonTuple) this.tuple(value.items);
    else if (value instanceof PythonTensor) this.tensor(value);
    else if (value instanceof OrderedDictionary) this.orderedDictionary(value.entries);
    else if (value instanceof Map) this.dictionary(value);
    else this.list(value as readonly PythonValue[]);
  }

  private number(value: number): void {
    if (!Number.isInteger(value)) return this.float(value);
    if (value >= 0 && value < 0x100) return this.byte(opcode.binaryInteger1, value);
    const bytes = Buffer.alloc(10);
    if (value === (value | 0)) {
      bytes[0] = opcode.binaryInteger;
      bytes.writeInt32LE(value, 1);
      this.chunks.push(bytes.subarray(0, 5));
      return;
    }
    bytes[0] = opcode.long1;
    bytes[1] = 8;
    bytes.writeBigInt64LE(BigInt(value), 2);
    this.chunks.push(bytes);
  }

  private float(value: number): void {
    const bytes = Buffer.alloc(9);
    bytes[0] = opcode.binaryFloat;
    bytes.writeDoubleBE(value, 1);
    this.chunks.push(bytes);
  }

  private text(value: string): void {
    const text = Buffer.from(value, 'utf8');
    const head = Buffer.alloc(5);
    head[0] = opcode.binaryUnicode;
    head.writeUInt32LE(text.length, 1);
    this.chunks.push(head, text);
  }

  private tuple(items: readonly PythonValue[]): void {
    if (items.length === 0) return this.byte(opcode.emptyTuple);
    this.byte(opcode.mark);
    for (const item of items) this.value(item);
    this.byte(opcode.tuple);
  }

  private list(items: readonly PythonValue[]): void {
    this.byte(opcode.emptyList, opcode.mark);
    for (const item of items) this.value(item);
    this.byte(opcode.appends);
  }

  private dictionary(entries: ReadonlyMap<string | number, PythonValue>): void {
    this.byte(opcode.emptyDictionary);
    this.items(entries);
  }

  private orderedDictionary(entries: ReadonlyMap<string, PythonValue>): void {
    this.global('collections', 'OrderedDict');
    this.byte(opcode.emptyTuple, opcode.reduce);
    this.items(entries);
  }

  private items(entries: ReadonlyMap<string | number, PythonValue>): void {
    if (entries.size === 0) return;
    this.byte(opcode.mark);
    for (const [key, item] of entries) {
      this.value(key);
      this.value(item);
    }
    this.byte(opcode.setItems);
  }

  private global(module: string, name: string): void {
    this.chunks.push(Buffer.from([opcode.global]), Buffer.from(`${module}\n${name}\n`));
  }

  private tensor(tensor: PythonTensor): void {
    const { shape, values } = tensor;
    this.global('torch._utils', '_rebuild_tensor_v2');
    this.byte(opcode.mark);
    this.byte(opcode.mark);
    this.text('storage');
    this.global('torch', values instanceof Float32Array ? 'FloatStorage' : 'LongStorage');
    this.text(this.storage(tensor));
    this.text('cpu');
    this.number(values.length);
    this.byte(opcode.tuple, opcode.binaryPersistentId);
    this.number(0);
    this.tuple(shape);
    this.tuple(shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1)));
    this.byte(opcode.newFalse);
    this.orderedDictionary(new Map());
    this.byte(opcode.tuple, opcode.reduce);
  }
}
