import { basename } from 'node:path';
import type { IndexManifest, IndexedSequence } from '../index/indexFile.js';
import { objectsOf, type IndexHead } from '../index/packedIndex.js';
import type { FrameProblem, SequencePart } from '../index/sequencePart.js';
import { frameName } from '../layout.js';
import { splitNames, type FrameId, type IndexedObject, type Split } from '../types.js';

/** The frames of a sequence that a split's list names, in the list's order. */
export interface Unit {
  readonly split: Split;
  readonly ids: readonly FrameId[];
  /** Another split has frames of this sequence, too. */
  readonly isShared: boolean;
}

/** What is kept of a packed sequence: its frames are in its part. */
export interface PackedUnit extends IndexedSequence {
  readonly split: Split;
  /** Whether each of the unit's frames can be used. */
  readonly usable: readonly boolean[];
  readonly registered: number;
  readonly cameras: readonly string[];
  /** Size of its frames' objects that no other sequence has. */
  readonly bytes: number;
  /** Objects that another split has, too. */
  readonly shared: readonly IndexedObject[];
  readonly unusable: readonly FrameProblem[];
  readonly incomplete: readonly FrameProblem[];
}

export function packedUnit({ split, ids, isShared }: Unit, part: SequencePart, object: IndexedObject): PackedUnit {
  const { frames, unusable, incomplete } = part;
  const { subject, sequence } = ids[0]!;
  const cameras = new Set(frames.flatMap((frame) => frame.calibrations).map(({ key }) => basename(key, '.tka')));
  const objects = [...new Map(frames.flatMap(objectsOf).map((one) => [one.key, one])).values()];
  const found = new Set(frames.map(({ id }) => frameName(id)));
  return {
    split,
    subject,
    sequence,
    frames: frames.length,
    part: object,
    usable: ids.map((id) => found.has(frameName(id))),
    registered: frames.filter(({ registration }) => registration !== null).length,
    cameras: [...cameras],
    bytes: isShared ? 0 : objects.reduce((sum, { size }) => sum + size, 0),
    shared: isShared ? objects : [],
    unusable,
    incomplete,
  };
}

export function countsOf(units: readonly PackedUnit[]): Record<Split, number> {
  const counts = { train: 0, validation: 0, test: 0 };
  for (const { split, frames } of units) counts[split] += frames;
  return counts;
}

/**
 * `dataset.json`. Where a list does not go through its sequences one by one, its order is stored beside it: the steps of
 * training depend on it.
 *
 * @param lists what the units were made of.
 */
export async function manifestOf(
  head: Omit<IndexHead, 'counts' | 'unusable' | 'bytes' | 'cameras'>,
  lists: Readonly<Record<Split, readonly FrameId[]>>,
  units: readonly PackedUnit[],
  store: (key: string, bytes: Uint8Array) => Promise<IndexedObject>,
): Promise<IndexManifest> {
  const splits: Partial<Record<Split, IndexManifest['splits'][Split]>> = {};
  for (const split of splitNames) {
    const own = units.filter((unit) => unit.split === split);
    const order = orderOf(lists[split], own);
    splits[split] = {
      frames: own.reduce((sum, { frames }) => sum + frames, 0),
      registered: own.reduce((sum, { registered }) => sum + registered, 0),
      sequences: own.map(({ subject, sequence, frames, part }) => ({ subject, sequence, frames, part })),
      order: order && (await store(`order/${split}.bin`, order)),
    };
  }
  const files = [head.template, head.vertexMasks].filter((object) => object !== null);
  const sizes = new Map([...files, ...units.flatMap(({ shared }) => shared)].map(({ key, size }) => [key, size]));
  return {
    version: 3,
    ...head,
    unusable: units.reduce((sum, { unusable }) => sum + unusable.length, 0),
    incomplete: units.reduce((sum, { incomplete }) => sum + incomplete.length, 0),
    bytes: [...sizes.values(), ...units.map(({ bytes }) => bytes)].reduce((sum, size) => sum + size, 0),
    cameras: [...new Set(units.flatMap(({ cameras }) => cameras))].sort(),
    splits: splits as IndexManifest['splits'],
  };
}

/** The places of a list's usable frames among those of its sequences, one after the other; null where they are the same. */
function orderOf(list: readonly FrameId[], units: readonly PackedUnit[]): Buffer | null {
  const next = new Map<string, { place: number; index: number; readonly usable: readonly boolean[] }>();
  let frames = 0;
  for (const { subject, sequence, usable, frames: count } of units) {
    next.set(`${subject}/${sequence}`, { place: frames, index: 0, usable });
    frames += count;
  }
  const order = Buffer.alloc(4 * frames);
  let at = 0;
  let differs = false;
  for (const { subject, sequence } of list) {
    const unit = next.get(`${subject}/${sequence}`)!;
    if (!unit.usable[unit.index++]) continue;
    differs ||= unit.place !== at;
    order.writeUInt32LE(unit.place++, 4 * at++);
  }
  return differs ? order : null;
}
