import { FormatError, quoted } from '../formatError.js';
import { ByteCursor } from './byteCursor.js';
import { opcode } from './pickleOpcodes.js';

/** A Python dictionary: keys of any kind, in their order. */
export type PickleDictionary = Map<PickleValue, PickleValue>;

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | PickleDictionary
  | PickleGlobal
  | PickleObject;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A name of Python's, `module.name`: read, never imported. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** What the caller makes of a call or of a persistent id. */
export class PickleObject {
  constructor(readonly value: unknown) {}
}

/** What a pickle may build: the caller decides for each name, and refuses all others. Nothing is ever executed. */
export interface PickleHandlers {
  /** A call `name(...arguments)`; undefined refuses it. */
  call(name: string, callArguments: readonly PickleValue[]): PickleValue | undefined;
  /** What stands outside of the pickle (PyTorch: a storage); undefined refuses it. */
  persistent(id: PickleValue): PickleValue | undefined;
  /** State put on a made object (`BUILD`); most have none that matters. */
  build?(object: PickleValue, state: PickleValue): void;
}

const mark = Symbol('mark');
type StackItem = PickleValue | typeof mark;

/**
 * Reads a Python pickle without Python, building plain data only.
 * @param where the member inside of the archive, for messages
 * @throws FormatError naming the byte, for what is not plain data: an unknown opcode, a name that the handlers refuse
 */
export function readPickle(bytes: Uint8Array, handlers: PickleHandlers, file: string, where: string): PickleValue {
  return new PickleMachine(bytes, handlers, file, where).run();
}

class PickleMachine {
  private readonly cursor: ByteCursor;
  private readonly stack: StackItem[] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(
    bytes: Uint8Array,
    private readonly handlers: PickleHandlers,
    private readonly file: string,
    private readonly where: string,
  ) {
    this.cursor = new ByteCursor(bytes, (expected, found) => this.problem(expected, found));
  }

  run(): PickleValue {
    for (;;) {
      const code = this.cursor.unsigned8();
      if (code === opcode.stop) return this.pop();
      this.step(code);
    }
  }

  private step(code: number): void {
    const { cursor } = this;
    switch (code) {
      case opcode.protocol: {
        const version = cursor.unsigned8();
        if (version > 5) throw this.problem('a pickle of protocol 5 or less', `protocol ${version}`);
        return;
      }
      case opcode.frame:
        cursor.unsigned64();
        return;
      case opcode.mark:
        this.stack.push(mark);
        return;
      case opcode.pop:
        this.stack.pop();
        return;
      case opcode.popMark:
        this.popToMark();
        return;
      case opcode.none:
        return this.push(null);
      case opcode.newTrue:
        return this.push(true);
      case opcode.newFalse:
        return this.push(false);
      case opcode.binaryInteger:
        return this.push(cursor.signed32());
      case opcode.binaryInteger1:
        return this.push(cursor.unsigned8());
      case opcode.binaryInteger2:
        return this.push(cursor.unsigned16());
      case opcode.long1:
        return this.push(narrow(cursor.signedInteger(cursor.unsigned8())));
      case opcode.long4:
        return this.push(narrow(cursor.signedInteger(cursor.unsigned32())));
      case opcode.binaryFloat:
        return this.push(cursor.float64BigEndian());
      case opcode.shortBinaryUnicode:
        return this.push(cursor.text(cursor.unsigned8()));
      case opcode.binaryUnicode:
        return this.push(cursor.text(cursor.unsigned32()));
      case opcode.binaryUnicode8:
        return this.push(cursor.text(cursor.unsigned64()));
      case opcode.shortBinaryString:
        return this.push(cursor.text(cursor.unsigned8()));
      case opcode.binaryString:
        return this.push(cursor.text(cursor.unsigned32()));
      case opcode.shortBinaryBytes:
        return this.push(cursor.take(cursor.unsigned8()));
      case opcode.binaryBytes:
        return this.push(cursor.take(cursor.unsigned32()));
      default:
        return this.stepContainers(code);
    }
  }

  private stepContainers(code: number): void {
    const { cursor } = this;
    switch (code) {
      case opcode.emptyDictionary:
        return this.push(new Map());
      case opcode.emptyList:
        return this.push([]);
      case opcode.emptyTuple:
        return this.push(new PickleTuple([]));
      case opcode.tuple:
        return this.push(new PickleTuple(this.popToMark()));
      case opcode.tuple1:
        return this.pushTuple(1);
      case opcode.tuple2:
        return this.pushTuple(2);
      case opcode.tuple3:
        return this.pushTuple(3);
      case opcode.append: {
        const item = this.pop();
        this.topList().push(item);
        return;
      }
      case opcode.appends: {
        const items = this.popToMark();
        const list = this.topList();
        for (const item of items) list.push(item);
        return;
      }
      case opcode.setItem: {
        const value = this.pop();
        const key = this.pop();
        this.topDictionary().set(key, value);
        return;
      }
      case opcode.setItems: {
        const items = this.popToMark();
        if (items.length % 2 !== 0) throw this.problem('keys and values in pairs', `${items.length} of them`);
        const dictionary = this.topDictionary();
        for (let i = 0; i < items.length; i += 2) dictionary.set(items[i] as PickleValue, items[i + 1] as PickleValue);
        return;
      }
      case opcode.binaryPut:
        return this.remember(cursor.unsigned8());
      case opcode.longBinaryPut:
        return this.remember(cursor.unsigned32());
      case opcode.memoize:
        return this.remember(this.memo.size);
      case opcode.binaryGet:
        return this.push(this.recall(cursor.unsigned8()));
      case opcode.longBinaryGet:
        return this.push(this.recall(cursor.unsigned32()));
      default:
        return this.stepObjects(code);
    }
  }

  private stepObjects(code: number): void {
    switch (code) {
      case opcode.global: {
        const module = this.cursor.line();
        return this.push(new PickleGlobal(`${module}.${this.cursor.line()}`));
      }
      case opcode.stackGlobal: {
        const name = this.pop();
        const module = this.pop();
        if (typeof name !== 'string' || typeof module !== 'string')
          throw this.problem('a module and a name', 'no text');
        return this.push(new PickleGlobal(`${module}.${name}`));
      }
      case opcode.reduce:
      case opcode.newObject: {
        const callArguments = this.pop();
        const callee = this.pop();
        if (!(callArguments instanceof PickleTuple) || !(callee instanceof PickleGlobal)) {
          throw this.problem('a call of a name with a tuple', 'something else');
        }
        const made = this.handlers.call(callee.name, callArguments.items);
        if (made === undefined) {
          throw this.problem(
            'plain data and tensors',
            `a call of ${quoted(callee.name)}, which is not read for safety`,
          );
        }
        return this.push(made);
      }
      case opcode.build: {
        const state = this.pop();
        this.handlers.build?.(this.top(), state);
        return;
      }
      case opcode.binaryPersistentId: {
        const loaded = this.handlers.persistent(this.pop());
        if (loaded === undefined) throw this.problem('the id of a storage', 'an unknown persistent id');
        return this.push(loaded);
      }
      default:
        throw this.problem('an opcode of plain data', `opcode 0x${code.toString(16)}`);
    }
  }

  private push(value: PickleValue): void {
    this.stack.push(value);
  }

  private pushTuple(count: number): void {
    const items: PickleValue[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.pop());
    this.push(new PickleTuple(items));
  }

  private pop(): PickleValue {
    const item = this.stack.pop();
    if (item === undefined || item === mark) throw this.problem('a value on the stack', 'none');
    return item;
  }

  private top(): PickleValue {
    const item = this.pop();
    this.push(item);
    return item;
  }

  private topList(): PickleValue[] {
    const list = this.top();
    if (!Array.isArray(list)) throw this.problem('a list', 'something else');
    return list;
  }

  private topDictionary(): PickleDictionary {
    const top = this.top();
    if (!(top instanceof Map)) throw this.problem('a dictionary', 'something else');
    return top;
  }

  private popToMark(): PickleValue[] {
    const items: PickleValue[] = [];
    for (;;) {
      const item = this.stack.pop();
      if (item === mark) return items.reverse();
      if (item === undefined) throw this.problem('a mark on the stack', 'none');
      items.push(item);
    }
  }

  private remember(index: number): void {
    this.memo.set(index, this.top());
  }

  private recall(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw this.problem(`a value remembered as ${index}`, 'none');
    return value;
  }

  private problem(expected: string, found: string): FormatError {
    return new FormatError({ file: this.file, where: `${this.where}, byte ${this.cursor.offset}`, expected, found });
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
