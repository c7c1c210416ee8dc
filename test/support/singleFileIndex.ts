import { calibrationsOf, parseIndex, storedFrame } from '../../datasets/index/indexFile.js';
import type { DatasetIndex, IndexedFrame } from '../../datasets/types.js';

/** `dataset.json` as it was written before it came in parts: calibrations are listed by sequence. */
export function writeDatasetIndex(index: DatasetIndex): Buffer {
  const { train, validation, test } = index.splits;
  const calibrations = calibrationsOf([...train, ...validation, ...test]);
  const store = (frames: readonly IndexedFrame[]) => frames.map((frame) => storedFrame(frame, calibrations));
  const splits = { train: store(train), validation: store(validation), test: store(test) };
  return Buffer.from(JSON.stringify({ ...index, version: 2, calibrations, splits }));
}

/** An index that is in one file. */
export function parseDatasetIndex(bytes: Uint8Array, file: string): DatasetIndex {
  return parseIndex(bytes, file) as DatasetIndex;
}
