import { mapLimited } from '../../storage/async/mapLimited.js';
import { parsePart, partKey, type SequencePart } from './sequencePart.js';
import { frameName } from '../layout.js';
import {
  splitNames,
  type DatasetIndex,
  type FrameId,
  type IndexedFrame,
  type IndexedObject,
  type Split,
} from '../types.js';
import { FormatError } from '../formats/formatError.js';
import { sequenceName, type IndexManifest } from './indexFile.js';
import { spread, type PackedIndex } from './packedIndex.js';

/** Frames of parts that are kept in memory, about a kilobyte each. */
const mostFrames = 32_768;
const partsAtOnce = 8;
/** Frames that are looked through at a time where some have no registration. */
const stride = 4096;

/** Reads an object of the data set, verified. */
export type ReadObject = (object: IndexedObject) => Promise<Uint8Array>;

/** An index in parts: of each sequence that is asked for, the part is read; the last are kept. */
export function indexInParts(manifest: IndexManifest, read: ReadObject, file: string): PackedIndex {
  const { splits, unusable, incomplete: _, version: _version, ...head } = manifest;
  const parts = new Parts(read);
  const lists = Object.fromEntries(
    splitNames.map((split) => [split, new SplitList(split, splits[split], parts, read, file)]),
  ) as Record<Split, SplitList>;
  return {
    ...head,
    counts: { train: splits.train.frames, validation: splits.validation.frames, test: splits.test.frames },
    unusable,
    range: (split, from, to) => lists[split].range(from, to),
    sequences: (split) => splits[split].sequences,
    bySequence: (split, from, to) => lists[split].bySequence(from, to),
    find: (split, id) => lists[split].find(id),
    async registered(split, atMost) {
      const { frames, registered } = splits[split];
      if (registered === frames) return lists[split].at(spread(frames, atMost));
      const all: IndexedFrame[] = [];
      for (let from = 0; from < frames && registered > 0; from += stride) {
        const some = await lists[split].range(from, from + stride);
        all.push(...some.filter(({ registration }) => registration !== null));
      }
      return spread(all.length, atMost).map((place) => all[place]!);
    },
    async whole() {
      const { bytes: __, cameras: ___, ...rest } = head;
      const frames: Partial<Record<Split, readonly IndexedFrame[]>> = {};
      const troubles: Record<'unusable' | 'incomplete', DatasetIndex['unusable'][number][]> = {
        unusable: [],
        incomplete: [],
      };
      for (const split of splitNames) {
        frames[split] = await lists[split].range(0, splits[split].frames);
        for (const { subject, sequence, part } of splits[split].sequences) {
          const found = await parts.read(part, partKey(split, subject, sequence));
          for (const what of ['unusable', 'incomplete'] as const) {
            troubles[what].push(...found[what].map((problem) => ({ split, ...problem })));
          }
        }
      }
      return { ...rest, version: 3, splits: frames as Record<Split, readonly IndexedFrame[]>, ...troubles };
    },
  };
}

/** The parts that were read last, by their key. */
class Parts {
  readonly #kept = new Map<string, Promise<SequencePart>>();
  #frames = 0;

  constructor(private readonly readObject: ReadObject) {}

  async read(object: IndexedObject, key: string): Promise<SequencePart> {
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const reading = this.readObject(object).then((bytes) => parsePart(bytes, key));
    this.#kept.set(key, reading);
    try {
      const part = await reading;
      this.#frames += part.frames.length;
      await this.shrink(key);
      return part;
    } catch (error) {
      // It is asked for again by the next frame.
      if (this.#kept.get(key) === reading) this.#kept.delete(key);
      throw error;
    }
  }

  private async shrink(newest: string): Promise<void> {
    for (const [key, reading] of this.#kept) {
      if (this.#frames <= mostFrames || key === newest) return;
      this.#kept.delete(key);
      const part = await reading.catch(() => null);
      this.#frames -= part?.frames.length ?? 0;
    }
  }
}

type SplitManifest = IndexManifest['splits'][Split];

/** The frames of a split, in the order of its data list. */
class SplitList {
  /** Of each sequence the number of frames before it, and of all frames. */
  readonly #starts: Float64Array;
  readonly #sequences: ReadonlyMap<string, number>;
  #order: Promise<Uint32Array> | null = null;

  constructor(
    private readonly split: Split,
    private readonly manifest: SplitManifest,
    private readonly parts: Parts,
    private readonly readObject: ReadObject,
    private readonly file: string,
  ) {
    const { sequences, frames } = manifest;
    this.#starts = new Float64Array(sequences.length + 1);
    for (const [i, { frames: count }] of sequences.entries()) this.#starts[i + 1] = this.#starts[i]! + count;
    this.#sequences = new Map(sequences.map((sequence, i) => [nameOf(sequence), i]));
    const found = this.#starts[sequences.length]!;
    if (found !== frames) throw this.problem('frames', `${frames}, as its sequences have`, String(found));
  }

  async range(from: number, to: number): Promise<readonly IndexedFrame[]> {
    const end = Math.min(to, this.manifest.frames);
    return this.at(Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i));
  }

  /** As the sequences follow each other. */
  async bySequence(from: number, to: number): Promise<readonly IndexedFrame[]> {
    const end = Math.min(to, this.manifest.frames);
    return this.numbered(Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i));
  }

  /** Frames at places of the list. */
  async at(places: readonly number[]): Promise<readonly IndexedFrame[]> {
    const order = await this.order();
    return this.numbered(order === null ? places : places.map((place) => order[place]!));
  }

  /** Frames by their numbers where the sequences follow each other. */
  private async numbered(numbers: readonly number[]): Promise<readonly IndexedFrame[]> {
    const wanted = new Map<number, { readonly place: number; readonly within: number }[]>();
    for (const [i, number] of numbers.entries()) {
      const sequence = this.sequenceAt(number);
      const frames = wanted.get(sequence) ?? [];
      frames.push({ place: i, within: number - this.#starts[sequence]! });
      wanted.set(sequence, frames);
    }
    const found = new Array<IndexedFrame>(numbers.length);
    await mapLimited([...wanted], partsAtOnce, async ([sequence, frames]) => {
      const part = await this.part(sequence);
      for (const { place, within } of frames) found[place] = part.frames[within]!;
    });
    return found;
  }

  async find(id: FrameId): Promise<IndexedFrame | null> {
    const sequence = this.#sequences.get(sequenceName(id));
    if (sequence === undefined) return null;
    const name = frameName(id);
    return (await this.part(sequence)).frames.find((frame) => frameName(frame.id) === name) ?? null;
  }

  private async part(index: number): Promise<SequencePart> {
    const { subject, sequence, part: object, frames } = this.manifest.sequences[index]!;
    const key = partKey(this.split, subject, sequence);
    const part = await this.parts.read(object, key);
    if (part.frames.length === frames) return part;
    throw this.problem(key, `${frames} frames`, `${part.frames.length}`);
  }

  /** null: as the sequences follow each other. */
  private order(): Promise<Uint32Array | null> {
    const { order, frames } = this.manifest;
    if (order === null) return Promise.resolve(null);
    this.#order ??= this.readObject(order).then((bytes) => {
      if (bytes.length !== 4 * frames) throw this.problem(order.key, `${4 * frames} bytes`, `${bytes.length}`);
      const numbers = new Uint32Array(frames);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let i = 0; i < frames; i++) {
        numbers[i] = view.getUint32(4 * i, true);
        if (numbers[i]! >= frames) throw this.problem(order.key, `numbers below ${frames}`, String(numbers[i]));
      }
      return numbers;
    });
    this.#order.catch(() => (this.#order = null));
    return this.#order;
  }

  private sequenceAt(number: number): number {
    let [low, high] = [0, this.manifest.sequences.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private problem(where: string, expected: string, found: string): FormatError {
    return new FormatError({ file: this.file, where: `splits.${this.split}: ${where}`, expected, found });
  }
}

function nameOf({ subject, sequence }: Pick<FrameId, 'subject' | 'sequence'>): string {
  return `${subject}/${sequence}`;
}
