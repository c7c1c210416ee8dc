import type { IndexHead } from '../datasets/index/packedIndex.js';
import type { DatasetSummary } from './types.js';

/** The summary of a packed data set for its workflow. */
export function summariseDataset({ name, counts, unusable, vertexCount, bytes }: IndexHead): DatasetSummary {
  return { name, frames: { ...counts }, unusable, vertexCount, bytes };
}
