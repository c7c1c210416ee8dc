/** A step of the data path, and the same by hand. */
export interface DataPathStep {
  readonly step: 'fetch' | 'extract' | 'pack';
  /** What does it by hand. */
  readonly byHand: string;
  readonly secondsByHand: number;
  readonly seconds: number;
}

export interface DataPathFigures {
  readonly gigabytes: number;
  readonly frames: number;
  /** Rounds of which each figure is the best. */
  readonly rounds: number;
  readonly steps: readonly DataPathStep[];
}

/** Where frames come from, and what of them is there already. */
export const readerStates = {
  folder: 'a folder, first epoch',
  'store-cold': 'object store, nothing cached',
  'store-warm': 'object store, from the cache on disk',
  kept: 'either, later epochs (decoded frames kept in memory)',
} as const;
export type ReaderState = keyof typeof readerStates;

/** One way of reading training batches, as fast as they can be had. */
export interface ReaderFigures {
  readonly stage: 'coarse-finetuning' | 'refinement';
  readonly state: ReaderState;
  readonly threads: number;
  readonly batchSize: number;
  readonly batches: number;
  /** From one batch to the next, all threads at work. */
  readonly secondsPerBatch: number;
  /** Seconds of processors, in all threads of the process. */
  readonly processorSecondsPerSample: number;
}

export interface ReaderResult {
  readonly views: number;
  readonly readers: readonly ReaderFigures[];
}

/** Settings of a measurement of loader threads; without a stage it makes the data that the others read. */
export interface LoaderMemoryCase {
  readonly root: string;
  readonly stage?: 'coarse-finetuning' | 'refinement';
  readonly threads: number;
}

export interface LoaderMemoryFigures {
  readonly stage: 'coarse-finetuning' | 'refinement';
  readonly threads: number;
  /** Batches prepared ahead. */
  readonly prefetch: number;
  /** Images of the largest batch. */
  readonly batchBytes: number;
  /** Peak of the process, above what it had before it opened its data. */
  readonly bytes: number;
}
