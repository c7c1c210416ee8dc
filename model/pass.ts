import {
  followedBy,
  isRecomputing,
  isRecording,
  keepTogether,
  normalizeByBatch,
  normalizeByRunningStatistics,
  rematerialize,
  tf,
  type Afterwards,
  type Normalization,
  type Recipe,
  type Tensor,
  type Tensor1D,
} from '../tensor/index.js';
import { isOfParts, type NetworkPart } from './parameters/parts.js';
import type { MemorySettings, Mode, ModelState, StatisticsUpdate } from './types.js';

const bytesPerNumber = 4;

/**
 * One run of a network: its numbers, the mode, and the statistics that its layers report. A pass is narrowed to a
 * part of the network by `within`, so that the layers' names read like the published ones.
 */
export class Pass {
  private constructor(
    private readonly state: ModelState,
    private readonly mode: Mode,
    private readonly memory: MemorySettings,
    private readonly prefix: string,
    private readonly reported: Record<string, Tensor>,
    private readonly frozen: readonly NetworkPart[],
  ) {}

  /** @param frozen parts that are normalised by their running statistics in training, too, which stay as they are. */
  static of(state: ModelState, mode: Mode, memory: MemorySettings, frozen: readonly NetworkPart[] = []): Pass {
    return new Pass(state, mode, memory, '', {}, frozen);
  }

  /** The part of the network whose names begin with `name.`. */
  within(name: string): Pass {
    return new Pass(this.state, this.mode, this.memory, `${this.prefix}${name}.`, this.reported, this.frozen);
  }

  /** Bytes that one chunk of a chunked computation may take. */
  get chunkBytes(): number {
    return this.memory.chunkBytes;
  }

  get keepSoftmax(): boolean {
    return this.memory.keepSoftmax;
  }

  has(name: string): boolean {
    return this.prefix + name in this.state.parameters;
  }

  /** A trained tensor. @throws Error naming it when the state lacks it. */
  parameter<T extends Tensor>(name: string): T {
    const parameter = this.state.parameters[this.prefix + name];
    if (parameter === undefined) throw new Error(`the model's state has no parameter ${this.prefix}${name}`);
    return parameter as Tensor as T;
  }

  /** Layers of this part see the batch's statistics. */
  private get isTrained(): boolean {
    return this.mode === 'training' && !isOfParts(this.prefix, this.frozen);
  }

  private buffer(name: string): Tensor1D {
    const buffer = this.state.buffers[this.prefix + name];
    if (buffer === undefined) throw new Error(`the model's state has no buffer ${this.prefix}${name}`);
    return buffer as Tensor as Tensor1D;
  }

  /**
   * Batch normalisation `name` of what the convolution `convolution` returned; the convolution's bias, if it has one,
   * is part of it.
   */
  normalize<T extends Tensor>(x: T, name: string, convolution?: string): T {
    const layer = this.normalization(name, convolution);
    if (!this.isTrained) return normalizeByRunningStatistics(x, layer) as T;
    return this.normalizeByBatch(x, name, layer, 'nothing');
  }

  /** Batch normalisation, and what comes afterwards. It disposes x. */
  normalizeInto<T extends Tensor>(x: T, afterwards: Afterwards, name: string, convolution?: string): T {
    const layer = this.normalization(name, convolution);
    return tf.tidy(() => {
      if (this.isTrained) {
        const y = this.normalizeByBatch(x, name, layer, afterwards);
        x.dispose();
        return y;
      }
      const y = normalizeByRunningStatistics(x, layer);
      x.dispose();
      return followedBy(y, afterwards) as T;
    });
  }

  /**
   * Batch normalisation, and a rectifier. Where the memory settings have it (`MemorySettings.groups`), a backward pass
   * computes the result again from x rather than keep both: x has to live until what takes the result has run. Otherwise
   * it is disposed.
   */
  normalizeRectify<T extends Tensor>(x: T, name: string, convolution: string): T {
    const { rematerialize, groups } = this.memory;
    const again = this.isTrained && rematerialize && groups && isRecording();
    if (!again) return this.normalizeInto(x, 'rectify', name, convolution);
    const layer = this.normalization(name, convolution);
    const compute = (x: Tensor): Tensor => normalizeByBatch(x, layer, 'rectify').y;
    return tf.tidy(() => this.normalizeByBatch(x, name, layer, 'rectify', { source: x, compute }));
  }

  private normalizeByBatch<T extends Tensor>(
    x: T,
    name: string,
    layer: Normalization,
    afterwards: Afterwards,
    recipe?: Recipe,
  ): T {
    const { y, running } = normalizeByBatch(x, layer, afterwards, recipe);
    if (!isRecomputing()) {
      this.report(`${name}.running_mean`, running.mean);
      this.report(`${name}.running_var`, running.variance);
    }
    return y as T;
  }

  private normalization(name: string, convolution: string | undefined): Normalization {
    const bias = convolution !== undefined && this.has(`${convolution}.bias`);
    return {
      scale: this.parameter(`${name}.weight`),
      offset: this.parameter(`${name}.bias`),
      runningMean: this.buffer(`${name}.running_mean`),
      runningVariance: this.buffer(`${name}.running_var`),
      ...(bias ? { bias: this.parameter<Tensor1D>(`${convolution}.bias`) } : {}),
    };
  }

  private report(name: string, value: Tensor): void {
    if (this.prefix + name in this.reported) throw new Error(`${this.prefix}${name} was normalised twice in one pass`);
    this.reported[this.prefix + name] = tf.keep(value);
  }

  /** The new running statistics of every layer that ran; empty in evaluation. */
  get statistics(): StatisticsUpdate {
    return this.reported;
  }

  /**
   * Runs a block: what it computes on the way is freed at its end, or, where the memory settings say so, computed again
   * in the backward pass. See `rematerialize` for what the block may reach for.
   */
  block<T extends Tensor>(f: (x: T) => T, x: T, name: string): T {
    const { rematerialize, keptInputBytes } = this.memory;
    if (!isRecording()) return tf.tidy(() => f(x));
    if (!rematerialize || bytesPerNumber * x.size <= keptInputBytes) {
      return keepTogether((input) => [f(input as T)] as const, [x], this.prefix + name, 'activations')[0];
    }
    return this.again(f, x, name);
  }

  /** Runs a part that is made of blocks (see `MemorySettings.groups`). */
  group<T extends Tensor>(f: (x: T) => T, x: T, name: string): T {
    if (!this.memory.rematerialize || !this.memory.groups) return tf.tidy(() => f(x));
    return this.again(f, x, name);
  }

  private again<T extends Tensor>(f: (x: T) => T, x: T, name: string): T {
    return rematerialize((input) => [f(input as T)] as const, [x], this.prefix + name, 'activations')[0];
  }
}

/** Counts a batch in every layer of batch normalisation, but for frozen ones. */
export function countBatches({ buffers }: ModelState, frozen: readonly NetworkPart[] = []): void {
  for (const [name, counter] of Object.entries(buffers)) {
    if (!name.endsWith('.num_batches_tracked') || isOfParts(name, frozen)) continue;
    // The values of a tensor that no operation has used are still on the host: this costs no read-back.
    const next = tf.scalar(counter.dataSync<'int32'>()[0]! + 1, 'int32');
    counter.assign(next);
    next.dispose();
  }
}

/** Frees an update that is not to be applied. */
export function disposeStatistics(statistics: StatisticsUpdate): void {
  for (const value of Object.values(statistics)) value.dispose();
}
