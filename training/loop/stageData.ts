import type { CacheCounts } from '../../datasets/cache/counts.js';
import type { Batch } from '../../datasets/types.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { VertexRegions } from '../../datasets/vertexRegions.js';

/** What a stage trains on. */
export interface StageData {
  /** The topology, with vertices of a typical head, mm. */
  readonly template: Mesh;
  readonly regions: VertexRegions;
  /**
   * The batch of a step, prepared ahead while the steps before it run. Asked for in ascending order of step.
   *
   * @param step the step counter before it.
   */
  batch(step: number): Promise<Batch>;
  /** Gives a batch's images back, from which later ones are made: they must not be looked at any more. */
  reuse?(batch: Batch): void;
  /** All validation frames, always the same: all views, no augmentation. */
  validationBatches(): AsyncIterable<Batch>;
  /** Bytes that came over the network so far. */
  bytesRead(): number;
  /** What the cache of frames did so far; absent where there is none. */
  cacheCounts?(): CacheCounts;
  close(): Promise<void>;
}
