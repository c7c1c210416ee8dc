import type { DatasetIndex } from '../datasets/types.js';
import type { DatasetSummary } from './types.js';

/** What a workflow is told of a packed data set. */
export function summariseDataset({
  name,
  splits,
  unusable,
  vertexCount,
  template,
  vertexMasks,
}: DatasetIndex): DatasetSummary {
  const objects = Object.values(splits)
    .flat()
    .flatMap(({ images, calibrations, scan, registration }) => [images, ...calibrations, scan, registration])
    .filter((object) => object !== null);
  // Frames of a sequence share their calibrations.
  const shared = [template, vertexMasks].filter((object) => object !== null);
  const sizes = new Map([...shared, ...objects].map(({ key, size }) => [key, size]));
  return {
    name,
    frames: { train: splits.train.length, validation: splits.validation.length, test: splits.test.length },
    unusable: unusable.length,
    vertexCount,
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  };
}
