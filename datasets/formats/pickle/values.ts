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
  | PickleSet
  | PickleDictionary
  | PickleGlobal
  | PickleObject;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickleSet {
  constructor(readonly items: PickleValue[]) {}
}

/** A name of Python's, `module.name`: read, never imported. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** What a vocabulary makes of a call or of a persistent id: plain data, never code. */
export abstract class PickleObject {
  /** Takes the state that the pickle puts on it. @param spend as for `call`. @returns false where it is not understood. */
  setState(_state: PickleValue, _spend: Spend): boolean {
    return false;
  }
}

/** An object of which only the attributes matter: an `argparse.Namespace`, a mesh, a sparse matrix. */
export class PickleInstance extends PickleObject {
  private readonly attributes = new Map<string, PickleValue>();

  /** @param name of its class, with its module. */
  constructor(readonly name: string) {
    super();
  }

  /** By name; undefined where there is none. */
  attribute(name: string): PickleValue | undefined {
    return this.attributes.get(name);
  }

  entries(): Iterable<readonly [string, PickleValue]> {
    return this.attributes;
  }

  override setState(state: PickleValue, spend: Spend): boolean {
    if (!(state instanceof Map)) return false;
    spend(state.size);
    for (const [key, value] of state) {
      if (typeof key !== 'string') return false;
      this.attributes.set(key, value);
    }
    return true;
  }
}

/**
 * Counts elements or bytes that are copied or gone through: a pickle may name the same long list over and over.
 * @throws FormatError when they are too many
 */
export type Spend = (count: number) => void;

/** How a pickle may name what it builds. */
export interface Vocabulary {
  /** A call `name(...arguments)`; undefined: not known here. */
  call(name: string, callArguments: readonly PickleValue[], spend: Spend): PickleValue | undefined;
  /** What stands outside of the pickle (PyTorch: a storage); undefined: not known here. */
  persistent?(id: PickleValue): PickleValue | undefined;
}
