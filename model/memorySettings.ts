import type { CoarseModelConfiguration, RefinementModelConfiguration } from '../configs/schema/model.js';
import type { MemorySettings } from './types.js';

const mebibyte = 2 ** 20;

/** Activations above this are computed again in the backward pass rather than kept. */
const keptBytes = 2048 * mebibyte;
/** The inputs of blocks may take so much; above it they are computed again too. */
const keptInputBytes = 4096 * mebibyte;
/** A block keeps about so many arrays, one of which is its input. */
const arraysOfBlock = 5;

/**
 * Memory settings from the sizes of a step: small ones keep everything; larger ones compute blocks again (a forward pass
 * more); the largest groups of blocks, too (one more).
 *
 * @param images shape of the images, `[B, V, H, W, 3]`
 * @param vertexCount L; of the refinement only, whose volumes are one a vertex.
 */
export function automaticMemorySettings(
  stage: 'coarse' | 'refinement',
  images: readonly number[],
  configuration: CoarseModelConfiguration | RefinementModelConfiguration,
  vertexCount = 1,
): MemorySettings {
  const [batch = 1, views = 1, height = 1, width = 1] = images;
  const { stemChannels, layerChannels, layerBlocks } = configuration.featureNet;
  const pixels = batch * views * height * width;
  // Per block the two convolutions, the two rectifiers and the sum: five arrays that a gradient needs.
  const trunk = layerChannels.reduce(
    (sum, channels, layer) => sum + (arraysOfBlock * channels * layerBlocks[layer]!) / 4 ** (layer + 2),
    (3 * stemChannels) / 4,
  );
  const volumes = stage === 'coarse' ? batch : batch * vertexCount;
  const voxels = volumes * configuration.gridSide ** 3;
  // Seven residual blocks at the finest level, and about half as much again below.
  const v2v = 1.5 * arraysOfBlock * 7 * configuration.v2v.baseChannels;
  const bytes = 4 * (pixels * trunk + voxels * v2v);
  return {
    rematerialize: bytes > keptBytes,
    groups: bytes / arraysOfBlock > keptInputBytes,
    chunkBytes: 64 * mebibyte,
  };
}
