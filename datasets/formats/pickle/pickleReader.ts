import { FormatError, quoted } from '../formatError.js';
import { ByteCursor } from './byteCursor.js';
import { opcode } from './opcodes.js';
import { PickleStack } from './pickleStack.js';
import { PickleGlobal, PickleObject, PickleSet, PickleTuple, type PickleValue, type Vocabulary } from './values.js';

/** Elements and bytes that calls may copy, for each byte of the pickle and in a small one. */
const largestExpansion = 16;
const leastBudget = 1 << 20;

/** Characters of a module and a name in it. */
const longestName = 1000;

/** Where a pickle stands, for messages. */
export interface PicklePlace {
  readonly file: string;
  /** The member inside of the archive. */
  readonly where: string;
  /** What to do about a name that is not read. */
  readonly advice?: string;
}

/**
 * Reads a Python pickle of the protocols 2 to 5 without Python. It builds plain data, and what the vocabularies know;
 * every other name is refused, nothing is ever executed. Time and memory grow with its length alone.
 *
 * @param bytes the whole pickle, and nothing behind it.
 * @throws FormatError naming the byte
 */
export function readPickle(bytes: Uint8Array, vocabularies: readonly Vocabulary[], place: PicklePlace): PickleValue {
  return new PickleMachine(bytes, vocabularies, place).run();
}

class PickleMachine extends PickleStack {
  private readonly cursor: ByteCursor;
  private budget: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly vocabularies: readonly Vocabulary[],
    private readonly place: PicklePlace,
  ) {
    super();
    this.cursor = new ByteCursor(bytes, (expected, found) => this.problem(expected, found));
    this.budget = Math.max(leastBudget, bytes.length * largestExpansion);
  }

  run(): PickleValue {
    for (;;) {
      const code = this.cursor.unsigned8();
      if (code !== opcode.stop) {
        this.step(code);
        continue;
      }
      const value = this.pop();
      const left = this.bytes.length - this.cursor.offset;
      if (left > 0) throw this.problem('the end of the pickle', `${left} bytes more`);
      return value;
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
        this.pushMark();
        return;
      case opcode.pop:
        this.drop();
        return;
      case opcode.popMark:
        this.popToMark();
        return;
      case opcode.duplicate:
        return this.push(this.top());
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
        return this.push(cursor.oldText(cursor.unsigned8()));
      case opcode.binaryString:
        return this.push(cursor.oldText(cursor.unsigned32()));
      case opcode.shortBinaryBytes:
        return this.push(cursor.take(cursor.unsigned8()));
      case opcode.binaryBytes:
        return this.push(cursor.take(cursor.unsigned32()));
      case opcode.binaryBytes8:
      case opcode.byteArray8:
        return this.push(cursor.take(cursor.unsigned64()));
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
      case opcode.emptySet:
        return this.push(new PickleSet([]));
      case opcode.frozenSet:
        return this.push(new PickleSet(this.popToMark()));
      case opcode.addItems: {
        const items = this.popToMark();
        const set = this.top();
        if (!(set instanceof PickleSet)) throw this.problem('a set', 'something else');
        for (const item of items) set.items.push(item);
        return;
      }
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
        return this.rememberNext();
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
        if (module.length + name.length > longestName) throw this.problem('the name of a class', 'a long text');
        return this.push(new PickleGlobal(`${module}.${name}`));
      }
      case opcode.reduce:
      case opcode.newObject: {
        const callArguments = this.pop();
        const callee = this.pop();
        if (!(callArguments instanceof PickleTuple) || !(callee instanceof PickleGlobal)) {
          throw this.problem('a call of a name with a tuple', 'something else');
        }
        return this.push(this.call(callee.name, callArguments.items));
      }
      case opcode.build: {
        const state = this.pop();
        const object = this.top();
        // Attributes of a dictionary or a set of a class of their own, such as the versions in a state dict.
        if (object instanceof Map || object instanceof PickleSet) return;
        if (object instanceof PickleObject && object.setState(state, (count) => this.spend(count))) return;
        throw this.problem('a state that is understood', 'another one');
      }
      case opcode.binaryPersistentId: {
        const id = this.pop();
        for (const vocabulary of this.vocabularies) {
          const loaded = vocabulary.persistent?.(id);
          if (loaded !== undefined) return this.push(loaded);
        }
        throw this.problem('the id of a storage', 'an unknown persistent id');
      }
      default:
        throw this.problem('an opcode of plain data', `opcode 0x${code.toString(16)}`);
    }
  }

  private call(name: string, callArguments: readonly PickleValue[]): PickleValue {
    for (const vocabulary of this.vocabularies) {
      const made = vocabulary.call(name, callArguments, (count) => this.spend(count));
      if (made !== undefined) return made;
    }
    const advice = this.place.advice === undefined ? '' : `. ${this.place.advice}`;
    throw this.problem('plain data and tensors', `a call of ${quoted(name)}, which is not read for safety${advice}`);
  }

  private spend(count: number): void {
    this.budget -= count;
    if (this.budget < 0) throw this.problem('plain data', 'calls that copy the same data over and over');
  }

  protected problem(expected: string, found: string): FormatError {
    const { file, where } = this.place;
    return new FormatError({ file, where: `${where}, byte ${this.cursor.offset}`, expected, found });
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
