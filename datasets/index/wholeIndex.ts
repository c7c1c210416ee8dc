import { basename } from 'node:path';
import { frameName } from '../layout.js';
import { splitNames, type DatasetIndex, type IndexedFrame, type Split } from '../types.js';
import { objectsOf, spread, type PackedIndex } from './packedIndex.js';

/** An index that lies in memory: one of a single file. */
export function wholeIndex(index: DatasetIndex): PackedIndex {
  const { splits, unusable, name, storedResizeFactor, imageExtension, vertexCount, template, vertexMasks } = index;
  const cameras = new Set<string>();
  // Frames of a sequence share their calibrations, and splits may share sequences.
  const sizes = new Map([template, vertexMasks].flatMap((object) => (object ? [[object.key, object.size]] : [])));
  for (const frame of splitNames.flatMap((split) => splits[split])) {
    for (const { key } of frame.calibrations) cameras.add(basename(key, '.tka'));
    for (const { key, size } of objectsOf(frame)) sizes.set(key, size);
  }
  const grouped = (split: Split): Map<string, IndexedFrame[]> => {
    const sequences = new Map<string, IndexedFrame[]>();
    for (const frame of splits[split]) {
      const name = `${frame.id.subject}/${frame.id.sequence}`;
      const members = sequences.get(name);
      if (members) members.push(frame);
      else sequences.set(name, [frame]);
    }
    return sequences;
  };
  const places = new Map<Split, ReadonlyMap<string, IndexedFrame>>();
  return {
    ...(index.inPlace === undefined ? {} : { inPlace: index.inPlace }),
    ...{ name, storedResizeFactor, imageExtension, vertexCount, template, vertexMasks },
    counts: { train: splits.train.length, validation: splits.validation.length, test: splits.test.length },
    unusable: unusable.length,
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    cameras: [...cameras].sort(),
    range: async (split, from, to) => splits[split].slice(from, to),
    sequences: (split) =>
      [...grouped(split).values()].map((frames) => {
        const { subject, sequence } = frames[0]!.id;
        return { subject, sequence, frames: frames.length };
      }),
    bySequence: async (split, from, to) => [...grouped(split).values()].flat().slice(from, to),
    async find(split, id) {
      const frames = places.get(split) ?? new Map(splits[split].map((frame) => [frameName(frame.id), frame]));
      places.set(split, frames);
      return frames.get(frameName(id)) ?? null;
    },
    async registered(split, atMost) {
      const all = splits[split].filter(({ registration }) => registration !== null);
      return spread(all.length, atMost).map((place) => all[place]!);
    },
    whole: async () => index,
  };
}
