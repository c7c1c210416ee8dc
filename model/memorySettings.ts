import type { CoarseModelConfiguration, RefinementModelConfiguration } from '../configs/schema/model.js';
import { deviceMemory, logitsAreWorthKeeping, runsOnGpu } from '../tensor/index.js';
import type { MemorySettings } from './types.js';

const mebibyte = 2 ** 20;

/** What activations may take of any device. */
const leastBudget = 2048 * mebibyte;
/** The share of its memory that they may take: a GPU is the trainer's alone, a machine is not. */
const shareOfGpu = 0.4;
const shareOfMachine = 1 / 8;
/** The inputs of blocks may take so much; above it they are computed again too. */
const keptInputBytes = 4096 * mebibyte;
/** A block keeps about so many arrays, one of which is its input: the two convolutions, the two rectifiers and the sum. */
const arraysOfBlock = 5;

/** The softmax is kept where its memory is there so many times: it saves less time for its size than blocks do. */
const plenty = 4;
/** Of the logits, where they are worth it: they save the tenth of a step that it takes to compute them again. */
const plentyOfLogits = 1.2;

/** Numbers that sampling keeps of a point in a view, beside its features twice: coordinates, weights, what they are made of. */
const numbersOfPoint = 45;

/** Blocks of a network at one resolution. Bytes. */
interface Blocks {
  /** The largest input of one of them. */
  readonly input: number;
  /** What all of them keep for the backward pass. */
  readonly kept: number;
}

/** Bytes that activations may take of this process's device. */
function activationBudget(): number {
  const memory = deviceMemory() ?? 0;
  return Math.max(leastBudget, memory * (runsOnGpu() ? shareOfGpu : shareOfMachine));
}

/**
 * Memory settings from the sizes of a step and the memory that there is: what fits is kept; of the rest, blocks of few voxels
 * or pixels are kept, whose convolutions cost most for their size, and the others computed again (a forward pass more); the
 * largest groups of blocks, too (one more). The numbers that come out are the same, to the bit.
 *
 * @param images shape of the images, `[B, V, H, W, 3]`
 * @param vertexCount L: a vertex has a volume in the refinement, a softmax over voxels in the coarse model.
 * @param budget bytes that activations may take.
 */
export function automaticMemorySettings(
  stage: 'coarse' | 'refinement',
  images: readonly number[],
  configuration: CoarseModelConfiguration | RefinementModelConfiguration,
  vertexCount = 1,
  budget = activationBudget(),
): MemorySettings {
  const [batch = 1, views = 1, height = 1, width = 1] = images;
  const volumes = stage === 'coarse' ? batch : batch * vertexCount;
  const all = [
    ...trunkBlocks(batch * views * height * width, configuration.featureNet),
    ...v2vBlocks(volumes * configuration.gridSide ** 3, configuration.v2v),
  ];
  const bytes = all.reduce((sum, { kept }) => sum + kept, 0);
  const softmax = 4 * batch * configuration.gridSide ** 3 * vertexCount;
  const rematerialize = bytes > budget;
  return {
    rematerialize,
    groups: bytes / arraysOfBlock > Math.max(keptInputBytes, budget),
    keptInputBytes: rematerialize ? largestKept(all, budget) : 0,
    keepSoftmax: stage === 'coarse' && bytes + (logitsAreWorthKeeping() ? plentyOfLogits : plenty) * softmax <= budget,
    keepSamples: stage === 'refinement' && bytes + sampledBytes(volumes * views, configuration) <= budget,
    chunkBytes: 64 * mebibyte,
  };
}

/** @param grids all views' grids around vertices. */
function sampledBytes(
  grids: number,
  { gridSide, featureNet }: CoarseModelConfiguration | RefinementModelConfiguration,
): number {
  return 4 * grids * gridSide ** 3 * (2 * featureNet.featureChannels + numbersOfPoint);
}

function trunkBlocks(
  pixels: number,
  { stemChannels, layerChannels, layerBlocks }: CoarseModelConfiguration['featureNet'],
): Blocks[] {
  const stem = { input: 4 * pixels * 3, kept: 4 * pixels * 3 * (stemChannels / 4) };
  const layers = layerChannels.map((channels, layer) => {
    const array = (4 * pixels * channels) / 4 ** (layer + 2);
    // The first block of a layer takes twice as many numbers as the others.
    return { input: 2 * array, kept: arraysOfBlock * layerBlocks[layer]! * array };
  });
  return [stem, ...layers];
}

function v2vBlocks(
  voxels: number,
  { baseChannels, encoderChannels, pooledLevels }: CoarseModelConfiguration['v2v'],
): Blocks[] {
  const finest = 4 * voxels * baseChannels;
  // Front, back and the first skip.
  const blocks = [{ input: finest, kept: arraysOfBlock * 7 * finest }];
  for (const [level, channels] of encoderChannels.entries()) {
    const array = (4 * voxels * channels) / 8 ** Math.min(level + 1, pooledLevels);
    // Encoder, decoder, and the next level's skip or the middle.
    blocks.push({ input: array, kept: arraysOfBlock * 3 * array });
  }
  return blocks;
}

/** The largest input of the blocks that are kept, those of small inputs first, as long as they fit. */
function largestKept(all: readonly Blocks[], budget: number): number {
  let left = budget;
  let largest = 0;
  for (const { input, kept } of [...all].sort((a, b) => a.input - b.input)) {
    left -= kept;
    if (left < 0) break;
    largest = input;
  }
  return largest;
}
