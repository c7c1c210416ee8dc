import { counterRandom } from '../../geometry/random.js';

/**
 * The order of frames in training: each epoch is a permutation of its own that depends on (seed, epoch) alone; batches
 * run on over the epochs' boundaries. So what a step sees follows from its number, however often it was interrupted.
 */
export class FrameOrder {
  private readonly permutations = new Map<number, Uint32Array>();

  constructor(
    private readonly seed: number,
    private readonly frames: number,
  ) {
    if (frames < 1) throw new RangeError('the training list has no frames');
  }

  /** Indices into the list of frames for the batch of a step. */
  batch(step: number, batchSize: number): number[] {
    return Array.from({ length: batchSize }, (_, i) => this.at(step * batchSize + i));
  }

  private at(position: number): number {
    const epoch = Math.floor(position / this.frames);
    let permutation = this.permutations.get(epoch);
    if (!permutation) {
      const identity = Uint32Array.from({ length: this.frames }, (_, i) => i);
      permutation = counterRandom(this.seed, 'frame order', epoch).shuffle(identity);
      if (this.permutations.size > 2) this.permutations.clear();
      this.permutations.set(epoch, permutation);
    }
    return permutation[position % this.frames]!;
  }
}
