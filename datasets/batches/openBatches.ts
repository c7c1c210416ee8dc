import type { Mesh } from '../../geometry/mesh/mesh.js';
import { openSource } from './loader.js';
import { LoaderPool } from './loaderPool.js';
import type { LoaderSettings, LoaderTask, TrainingBatchSettings } from './settings.js';
import { sumOfCounts, type CacheCounts } from '../cache/counts.js';
import { FrameUnreadable } from '../reader/errors.js';
import type { Batch, FrameId, Split } from '../types.js';
import type { VertexRegions } from '../vertexRegions.js';

/** Batches of a data set, prepared ahead on loader threads. */
export interface Batches {
  /** The topology, with the vertices of a typical head, mm. */
  readonly template: Mesh;
  readonly regions: VertexRegions;
  /** Frames of a split. */
  count(split: Split): number;
  /**
   * The training batch of a step; those of the next steps are prepared meanwhile. Any order of asking gives the same
   * batches; ascending order is quick.
   * @throws FrameUnreadable
   */
  training(step: number, settings: TrainingBatchSettings, lastStep: number): Promise<Batch>;
  /** Gives a batch's images back, from which later ones are made: they must not be looked at any more. */
  reuse(batch: Batch): void;
  /** Frames in order, all views, nothing random. @throws FrameUnreadable */
  validation(options: PlainOptions): AsyncGenerator<Batch>;
  /** One frame a batch, in order; a frame that cannot be read comes as its error. */
  single(
    frames: readonly { readonly split: Split; readonly id: FrameId }[],
    resizeFactor: number,
  ): AsyncGenerator<Batch | FrameUnreadable>;
  /** Bytes that came over the network. */
  bytesRead(): number;
  /** What the cache of all threads did; nothing where frames lie in a folder. */
  cacheCounts(): CacheCounts;
  close(): Promise<void>;
}

export interface PlainOptions {
  readonly split: Split;
  readonly batchSize: number;
  readonly resizeFactor: number;
  readonly scanPoints: number | null;
  /** Only so many frames; null: all. */
  readonly limit: number | null;
}

/** What a loader calls while it waits for its store, and what ends the waiting while it opens. */
export interface LoaderListener {
  readonly warn: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Where the store is away, batches wait for it, however long, with a warning every few seconds.
 *
 * @param ahead tasks under way beside the one that is waited for.
 * @throws DatasetMissing, FormatError of the template or its masks
 */
export async function openBatches(settings: LoaderSettings, ahead: number, listener: LoaderListener): Promise<Batches> {
  const { source, counts } = await openSource(settings, listener);
  const pool = new LoaderPool(settings, listener.warn);
  const cacheCounts = (): CacheCounts => sumOfCounts(pool.cache, counts());
  let prepared = new Map<number, Promise<Batch>>();

  const start = (task: LoaderTask): Promise<Batch> => {
    const work = pool.run(task);
    // Whoever waits for it gets the error.
    work.catch(() => undefined);
    return work;
  };

  function* startedInOrder(tasks: readonly LoaderTask[]): Generator<Promise<Batch>> {
    const started: Promise<Batch>[] = [];
    for (let i = 0; i < tasks.length; i++) {
      while (started.length < tasks.length && started.length <= i + ahead) started.push(start(tasks[started.length]!));
      yield started[i]!;
    }
  }

  return {
    template: source.template,
    regions: source.regions,
    count: (split) => source.count(split),
    training(step, training, lastStep) {
      const kept = new Map<number, Promise<Batch>>();
      for (let wanted = step; wanted <= Math.min(step + ahead, lastStep); wanted++) {
        kept.set(wanted, prepared.get(wanted) ?? start({ kind: 'training', step: wanted, settings: training }));
      }
      prepared = kept;
      return prepared.get(step) ?? start({ kind: 'training', step, settings: training });
    },
    reuse: (batch) => pool.reuse(batch),
    async *validation({ split, batchSize, resizeFactor, scanPoints, limit }) {
      const frames = await source.range(split, 0, limit ?? source.count(split));
      const tasks: LoaderTask[] = [];
      for (let first = 0; first < frames.length; first += batchSize) {
        const ids = frames.slice(first, first + batchSize);
        tasks.push({ kind: 'plain', step: tasks.length, split, frames: ids, resizeFactor, scanPoints });
      }
      for (const batch of startedInOrder(tasks)) yield await batch;
    },
    async *single(frames, resizeFactor) {
      const tasks = frames.map(({ split, id }, step): LoaderTask => {
        return { kind: 'plain', step, split, frames: [id], resizeFactor, scanPoints: 0 };
      });
      for (const batch of startedInOrder(tasks)) {
        yield await batch.catch((error: unknown) => {
          if (error instanceof FrameUnreadable) return error;
          throw error;
        });
      }
    },
    bytesRead: () => cacheCounts().missBytes,
    cacheCounts,
    close: () => pool.close(),
  };
}
