import type { IndexHead } from '../datasets/index/packedIndex.js';
import type { DatasetSummary } from './types.js';

/** What a workflow is told of a packed data set. */
export function summariseDataset({ name, counts, unusable, vertexCount, bytes }: IndexHead): DatasetSummary {
  return { name, frames: { ...counts }, unusable, vertexCount, bytes };
}
