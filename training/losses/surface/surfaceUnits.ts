import { ClosestSearch, hasDistantPoints } from '../../../geometry/closestPoint/closestPoint.js';
import { directionPairs, writeReaches } from '../../../geometry/closestPoint/distantSearch.js';
import { orderScratch, writeSpatialOrder, type OrderScratch } from '../../../geometry/closestPoint/spatialOrder.js';
import { refitParts, refitSubtree, refitTop } from '../../../geometry/closestPoint/triangleTree.js';
import { addPointToSurfaceLoss } from '../pointToSurfaceLoss.js';
import { sampleState, type SharedMemory, type SharedSample } from './sharedSample.js';
import type { Unit } from './team.js';

/** Points that are searched at a time: small enough to share them out evenly. */
const chunkLength = 512;
const mostParts = 8;

/** Of a sample's points sorted, its tree refitted; reaches of its tree; its points searched, and its loss. */
export const surfaceStages = 3;

/** How many units the stages have, by how many points the samples have at most. Each sample has as many as the others. */
export function surfaceUnits({ samples }: SharedMemory, used: number, mostPoints: number): readonly number[] {
  const parts = refitParts(samples[0]!.tree, mostParts);
  return [used * (1 + parts), used * directionPairs, used * Math.ceil(mostPoints / chunkLength)];
}

/** Before the units are given out. */
export function beginSample(sample: SharedSample, mostPoints: number): void {
  sample.state[sampleState.isDistant] = 0;
  sample.state[sampleState.partsLeft] = refitParts(sample.tree, mostParts);
  sample.state[sampleState.chunksLeft] = Math.ceil(mostPoints / chunkLength);
}

/**
 * One thread's way of doing units. All units of a sample in any threads, each stage after the one before, give the same
 * bits: a chunk's search depends on no other, and sums are made in the points' order.
 *
 * @param used samples of this piece of work.
 */
export class SurfaceUnits {
  private readonly searches: readonly ClosestSearch[];
  private scratch: OrderScratch = orderScratch(0);

  constructor(private readonly memory: SharedMemory) {
    this.searches = memory.samples.map(({ tree, reaches }) => new ClosestSearch(tree, reaches));
  }

  /** @param used how many of the samples are worked on. */
  of(used: number): Unit {
    return (stage, unit) => {
      if (stage === 0) this.prepare(unit, used);
      else if (stage === 1) this.reach(unit, used);
      else this.search(unit, used);
    };
  }

  private prepare(unit: number, used: number): void {
    const sample = this.memory.samples[unit % used]!;
    const part = Math.floor(unit / used) - 1;
    if (part < 0) {
      const count = sample.state[sampleState.points]!;
      if (this.scratch.keys.length < count) this.scratch = orderScratch(count);
      writeSpatialOrder(sample.points, sample.order.subarray(0, count), this.scratch);
      return;
    }
    const parts = refitParts(sample.tree, mostParts);
    refitSubtree(sample.tree, sample.vertices, part, parts);
    if (Atomics.sub(sample.state, sampleState.partsLeft, 1) > 1) return;
    refitTop(sample.tree, parts);
    const points = sample.points.subarray(0, 3 * sample.state[sampleState.points]!);
    sample.state[sampleState.isDistant] = hasDistantPoints(sample.tree, points) ? 1 : 0;
  }

  private reach(unit: number, used: number): void {
    const { state, tree, reaches } = this.memory.samples[unit % used]!;
    if (state[sampleState.isDistant] === 1) writeReaches(tree, Math.floor(unit / used), reaches);
  }

  private search(unit: number, used: number): void {
    const index = unit % used;
    const sample = this.memory.samples[index]!;
    const { state, points, order } = sample;
    const from = chunkLength * Math.floor(unit / used);
    const end = Math.min(from + chunkLength, state[sampleState.points]!);
    if (from < end) this.searches[index]!.run(points, order, from, end, sample);
    if (Atomics.sub(state, sampleState.chunksLeft, 1) === 1) this.sum(sample);
  }

  private sum({ state, points, vertices, faceIndices, distances, gradient, sums }: SharedSample): void {
    const { faces, sigma } = this.memory;
    const count = state[sampleState.points]!;
    let distance = 0;
    for (let i = 0; i < count; i++) distance += distances[i]!;
    sums[1] = distance;
    if (state[sampleState.wantsLoss] !== 1) return;
    gradient.fill(0);
    sums[0] = addPointToSurfaceLoss(vertices, faces, points, count, faceIndices, sigma, gradient);
  }
}
