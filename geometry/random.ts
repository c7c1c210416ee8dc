import { philox4x32 } from './philox.js';

/**
 * A stream of random numbers that is a pure function of its keys: the same (seed, purpose, step, sample) gives the same
 * numbers on every machine, in every process, in any order of asking. Nothing to save for resumption. Its functions need no `this`: pass them on by themselves.
 */
export interface CounterRandom {
  /** The next 32 random bits, as an integer in [0, 2³²). */
  readonly uint32: () => number;
  /** Uniform in [0, 1), 53 bits. */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly gaussian: () => number;
  /** Uniform integer in [0, bound), without bias; bound in [1, 2³²]. */
  readonly integer: (bound: number) => number;
  /** Shuffles in place (Fisher–Yates) and returns its argument. */
  readonly shuffle: <T extends unknown[] | Uint32Array | Int32Array | Float32Array>(items: T) => T;
}

/**
 * Opens a stream.
 *
 * @param seed the run's seed, a safe integer.
 * @param streams what tells this stream from others: purpose (a string), step, sample, view, … Strings and safe
 *   integers; order and kind count (`'1'` and `1` differ).
 * @example const random = counterRandom(seed, 'augmentation', step, sample);
 */
export function counterRandom(seed: number, ...streams: readonly (string | number)[]): CounterRandom {
  const key = deriveKey(seed, streams);
  const counter = new Uint32Array(4);
  const block = new Uint32Array(4);
  let used = 4;
  let spareGaussian: number | undefined;

  const uint32 = (): number => {
    if (used === 4) {
      philox4x32(counter, key, block);
      for (let word = 0; word < 4; word++) {
        counter[word]!++;
        if (counter[word] !== 0) break;
      }
      used = 0;
    }
    return block[used++]!;
  };
  const uniform = (): number => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 9007199254740992;
  const gaussian = (): number => {
    if (spareGaussian !== undefined) {
      const spare = spareGaussian;
      spareGaussian = undefined;
      return spare;
    }
    // Box–Muller; 1 − uniform is in (0, 1], so that the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spareGaussian = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const integer = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 4294967296) {
      throw new RangeError(`integer(bound): bound is ${bound}; expected an integer in [1, 2^32]`);
    }
    const unbiased = 4294967296 - (4294967296 % bound);
    let bits = uint32();
    while (bits >= unbiased) bits = uint32();
    return bits % bound;
  };
  const shuffle = <T extends unknown[] | Uint32Array | Int32Array | Float32Array>(items: T): T => {
    for (let last = items.length - 1; last > 0; last--) {
      const other = integer(last + 1);
      const kept = items[last];
      items[last] = items[other];
      items[other] = kept;
    }
    return items;
  };
  return { uint32, uniform, gaussian, integer, shuffle };
}

const absorbNumber = 1;
const absorbText = 2;

/** Folds the streams into a 64-bit Philox key, one after the other, with Philox itself as the mixing function. */
function deriveKey(seed: number, streams: readonly (string | number)[]): Uint32Array {
  let key = numberWords(seed);
  const counter = new Uint32Array(4);
  const block = new Uint32Array(4);
  const absorb = (low: number, high: number, position: number, kind: number): void => {
    counter.set([low, high, position, kind]);
    philox4x32(counter, key, block);
    key = block.slice(0, 2);
  };
  for (const [position, stream] of streams.entries()) {
    if (typeof stream === 'number') {
      const words = numberWords(stream);
      absorb(words[0]!, words[1]!, position, absorbNumber);
      continue;
    }
    absorb(stream.length, 0xffffffff, position, absorbText);
    for (let i = 0; i < stream.length; i += 2) {
      const second = i + 1 < stream.length ? stream.charCodeAt(i + 1) : 0;
      absorb(stream.charCodeAt(i), second, position, absorbText);
    }
  }
  return key;
}

/** A safe integer as two 32-bit words, low first (two's complement). */
function numberWords(value: number): Uint32Array {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`a random stream's key is ${value}; expected a safe integer or a string`);
  }
  return Uint32Array.of(value, Math.floor(value / 4294967296));
}
