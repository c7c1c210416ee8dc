import { reachCount } from '../../../geometry/closestPoint/distantSearch.js';
import { treeOfSameTopology, type TriangleTree } from '../../../geometry/closestPoint/triangleTree.js';

/**
 * What the point-to-surface loss of one sample reads and writes, in memory that threads share.
 * Legend: L vertices, F faces, n scan points, of which there is room for some more.
 */
export interface SharedSample {
  /** By the names of `sampleState`. */
  readonly state: Int32Array;
  /** Refitted to `vertices` in each step. */
  readonly tree: TriangleTree;
  /** Reaches of the tree; computed only where a point is distant. */
  readonly reaches: Float64Array;
  /** The prediction, `[L, 3]`, mm. */
  readonly vertices: Float32Array;
  /** `[n, 3]`, mm. */
  readonly points: Float32Array;
  /** `[n]`: their spatial order. */
  readonly order: Uint32Array;
  /** `[n]`: found. */
  readonly faceIndices: Int32Array;
  /** `[n]`: found, mm. */
  readonly distances: Float32Array;
  /** `[L, 3]`: of the sample's loss by the prediction. */
  readonly gradient: Float64Array;
  /** The sample's loss, and the sum of its distances. */
  readonly sums: Float64Array;
}

/** Where in a sample's state what lies. */
export const sampleState = {
  /** n */
  points: 0,
  /** 1: the loss and its gradient are wanted; 0: only distances are. */
  wantsLoss: 1,
  /** 1: some point is distant. */
  isDistant: 2,
  /** Parts of the refit that are not done. */
  partsLeft: 3,
  /** Chunks of the search that are not done. */
  chunksLeft: 4,
} as const;

/** All that the threads of a loss share. */
export interface SharedMemory {
  /** `teamControl`. */
  readonly control: Int32Array;
  /** `[F, 3]`. */
  readonly faces: Uint32Array;
  /** σ of the Geman–McClure function, mm. */
  readonly sigma: number;
  readonly samples: readonly SharedSample[];
}

/** @param tree of the topology. @param capacity the most points. */
export function sharedSample(tree: TriangleTree, vertexCount: number, capacity: number): SharedSample {
  return {
    state: new Int32Array(shared(4 * Object.keys(sampleState).length)),
    tree: treeOfSameTopology(tree, shared),
    reaches: new Float64Array(shared(8 * reachCount(tree))),
    vertices: new Float32Array(shared(12 * vertexCount)),
    points: new Float32Array(shared(12 * capacity)),
    order: new Uint32Array(shared(4 * capacity)),
    faceIndices: new Int32Array(shared(4 * capacity)),
    distances: new Float32Array(shared(4 * capacity)),
    gradient: new Float64Array(shared(24 * vertexCount)),
    sums: new Float64Array(shared(16)),
  };
}

export function sharedCopy(values: Uint32Array): Uint32Array {
  const copy = new Uint32Array(shared(values.byteLength));
  copy.set(values);
  return copy;
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
