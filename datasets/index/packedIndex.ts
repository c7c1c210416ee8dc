import type { DatasetIndex, FrameId, IndexedFrame, IndexedObject, Split } from '../types.js';

/** What of a data set's index is known without its frames. */
export interface IndexHead extends Pick<
  DatasetIndex,
  'name' | 'storedResizeFactor' | 'imageExtension' | 'inPlace' | 'vertexCount' | 'template' | 'vertexMasks'
> {
  /** Frames of each split. */
  readonly counts: Readonly<Record<Split, number>>;
  /** Frames that were left out. */
  readonly unusable: number;
  /** Size of all objects. */
  readonly bytes: number;
  /** Names of all cameras of any frame, sorted. */
  readonly cameras: readonly string[];
}

/** A sequence, and how many frames of a split are its. */
export interface SequenceLength {
  readonly subject: string;
  readonly sequence: string;
  readonly frames: number;
}

/** `datasets/NAME/dataset.json`, published last: what the object store holds of a data set, read as needed. */
export interface PackedIndex extends IndexHead {
  /** Frames of a split by their places in its data list, `to` excluded. @throws FormatError, ObjectDamaged */
  range(split: Split, from: number, to: number): Promise<readonly IndexedFrame[]>;
  /** Of each sequence of a split its frames' number, in the order of their first frames. */
  sequences(split: Split): readonly SequenceLength[];
  /**
   * Frames of a split by their places where its sequences follow each other, `to` excluded; within a sequence as in the data
   * list. @throws as `range` does.
   */
  bySequence(split: Split, from: number, to: number): Promise<readonly IndexedFrame[]>;
  /** null where the split has no such frame. @throws as `range` does. */
  find(split: Split, id: FrameId): Promise<IndexedFrame | null>;
  /** At most so many frames that have a registration, spread evenly over the split. @throws as `range` does. */
  registered(split: Split, atMost: number): Promise<readonly IndexedFrame[]>;
  /** All of it: for data sets that fit into memory. @throws as `range` does. */
  whole(): Promise<DatasetIndex>;
}

/** Places of `atMost` among `count`, evenly spread. */
export function spread(count: number, atMost: number): number[] {
  const length = Math.min(atMost, count);
  return Array.from({ length }, (_, i) => Math.floor((i * count) / length));
}

/** All objects of a frame. */
export function objectsOf({ images, calibrations, scan, registration }: IndexedFrame): IndexedObject[] {
  return [images, ...calibrations, scan, registration].filter((object) => object !== null);
}
