import type { Mesh } from '../mesh/mesh.js';

/**
 * A bounding volume hierarchy over a mesh's triangles: a complete binary tree whose shape depends on the vertices that
 * it was built from, and whose boxes are refitted when the vertices move. All of it is typed arrays, so it can be
 * posted to a worker thread, or lie in shared memory.
 *
 * Node i has the children 2 i + 1 and 2 i + 2; the last `leafCount` nodes are the leaves. Leaf k holds the triangles
 * in the slots `leafStarts[k]` … `leafStarts[k + 1] - 1`.
 */
export interface TriangleTree {
  readonly leafCount: number;
  /** `[leafCount + 1]`. */
  readonly leafStarts: Uint32Array;
  /** `[F]` the face in each slot; ascending within a leaf. */
  readonly faceOfSlot: Uint32Array;
  /** `[F, 3]` the vertices of the face in each slot. */
  readonly verticesOfSlot: Uint32Array;
  /** `[F, 9]` their coordinates: what a refit writes. */
  readonly corners: Float32Array;
  /** `[2 leafCount - 1 + F, 6]` centre and half extent of each node's box, x y z x y z; then of each slot's triangle. */
  readonly boxes: Float64Array;
}

const trianglesInLeaf = 3;

/**
 * Builds the tree: triangles are split at the median of their centres along the longest axis, level by level.
 *
 * @param mesh vertices that are typical for those searched later; the mean head will do for a topology.
 */
export function buildTriangleTree(mesh: Mesh): TriangleTree {
  const faceCount = mesh.faces.length / 3;
  let leafCount = 1;
  while (leafCount * trianglesInLeaf < faceCount) leafCount *= 2;
  const leafStarts = new Uint32Array(leafCount + 1);
  for (let leaf = 0; leaf <= leafCount; leaf++) leafStarts[leaf] = Math.floor((leaf * faceCount) / leafCount);
  const faceOfSlot = orderFaces(mesh, leafStarts);
  const verticesOfSlot = new Uint32Array(mesh.faces.length);
  for (let slot = 0; slot < faceCount; slot++) {
    const face = 3 * faceOfSlot[slot]!;
    verticesOfSlot.set(mesh.faces.subarray(face, face + 3), 3 * slot);
  }
  const tree: TriangleTree = {
    leafCount,
    leafStarts,
    faceOfSlot,
    verticesOfSlot,
    corners: new Float32Array(9 * faceCount),
    boxes: new Float64Array(6 * (2 * leafCount - 1 + faceCount)),
  };
  refitTriangleTree(tree, mesh.vertices);
  return tree;
}

/** The faces in the order of the leaves. */
function orderFaces(mesh: Mesh, leafStarts: Uint32Array): Uint32Array {
  const faceCount = mesh.faces.length / 3;
  const centres = new Float64Array(3 * faceCount);
  for (let face = 0; face < faceCount; face++) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = 3 * mesh.faces[3 * face + corner]!;
      for (let axis = 0; axis < 3; axis++) centres[3 * face + axis]! += mesh.vertices[vertex + axis]! / 3;
    }
  }
  const order = Uint32Array.from({ length: faceCount }, (_, face) => face);
  const split = (firstLeaf: number, endLeaf: number): void => {
    const range = order.subarray(leafStarts[firstLeaf], leafStarts[endLeaf]);
    if (endLeaf - firstLeaf === 1) {
      range.sort();
      return;
    }
    const axis = longestAxis(centres, range);
    // Ties by index: the tree is the same on every machine.
    range.sort((a, b) => centres[3 * a + axis]! - centres[3 * b + axis]! || a - b);
    const middle = (firstLeaf + endLeaf) / 2;
    split(firstLeaf, middle);
    split(middle, endLeaf);
  };
  split(0, leafStarts.length - 1);
  return order;
}

function longestAxis(centres: Float64Array, faces: Uint32Array): number {
  let best = 0;
  let bestExtent = -1;
  for (let axis = 0; axis < 3; axis++) {
    let low = Infinity;
    let high = -Infinity;
    for (const face of faces) {
      low = Math.min(low, centres[3 * face + axis]!);
      high = Math.max(high, centres[3 * face + axis]!);
    }
    if (high - low > bestExtent) {
      bestExtent = high - low;
      best = axis;
    }
  }
  return best;
}

/**
 * A tree over the same triangles that is refitted by itself.
 *
 * @param allocate gives memory for its numbers: that of other threads, too.
 */
export function treeOfSameTopology(
  tree: TriangleTree,
  allocate: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
): TriangleTree {
  return {
    ...tree,
    corners: new Float32Array(allocate(tree.corners.byteLength)),
    boxes: new Float64Array(allocate(tree.boxes.byteLength)),
  };
}

/**
 * Moves the tree's triangles to new vertices of the same topology. Searches stay exact however far they moved; the
 * tree is only slower when the shape has nothing in common with the one that it was built from.
 *
 * @param vertices `[L, 3]`, mm.
 * @throws RangeError when a vertex of a face is missing or not finite.
 */
export function refitTriangleTree(tree: TriangleTree, vertices: Float32Array): void {
  refitSubtree(tree, vertices, 0, 1);
}

/** How many parts a tree can be refitted in: a power of two, at most `wanted`. */
export function refitParts({ leafCount }: TriangleTree, wanted: number): number {
  let parts = 1;
  while (2 * parts <= Math.min(wanted, leafCount)) parts *= 2;
  return parts;
}

/**
 * One of the `parts` of a refit, which may run in several threads at a time; `refitTop` follows the last of them.
 *
 * @param parts from `refitParts`.
 * @throws RangeError when a vertex of a face is missing or not finite.
 */
export function refitSubtree(tree: TriangleTree, vertices: Float32Array, part: number, parts: number): void {
  const { leafCount, leafStarts } = tree;
  const leaves = leafCount / parts;
  const firstLeaf = part * leaves;
  moveCorners(tree, vertices, 3 * leafStarts[firstLeaf]!, 3 * leafStarts[firstLeaf + leaves]!);
  for (let leaf = firstLeaf; leaf < firstLeaf + leaves; leaf++) boxLeaf(tree, leaf);
  for (let width = leaves / 2, first = (leafCount + firstLeaf) / 2 - 1; width >= 1; width /= 2) {
    for (let node = first; node < first + width; node++) boxInnerNode(tree.boxes, node);
    first = (first + 1) / 2 - 1;
  }
}

/** The nodes above the parts of a refit. */
export function refitTop(tree: TriangleTree, parts: number): void {
  for (let node = parts - 2; node >= 0; node--) boxInnerNode(tree.boxes, node);
}

function moveCorners(
  { verticesOfSlot, corners }: TriangleTree,
  vertices: Float32Array,
  from: number,
  end: number,
): void {
  // Stays 0 as long as all are finite.
  let check = 0;
  for (let i = from; i < end; i++) {
    const vertex = 3 * verticesOfSlot[i]!;
    const x = vertices[vertex]!;
    const y = vertices[vertex + 1]!;
    const z = vertices[vertex + 2]!;
    check += 0 * (x + y + z);
    corners[3 * i] = x;
    corners[3 * i + 1] = y;
    corners[3 * i + 2] = z;
  }
  if (check === 0) return;
  for (let i = 3 * from; i < 3 * end; i++) {
    if (Number.isFinite(corners[i])) continue;
    throw new RangeError(
      `closest-point search: vertex ${verticesOfSlot[Math.floor(i / 3)]} of ${vertices.length / 3} is missing or not finite`,
    );
  }
}

function boxLeaf({ leafCount, leafStarts, corners, boxes }: TriangleTree, leaf: number): void {
  const ofLeaf = 6 * (leafCount - 1 + leaf);
  const ofSlots = 6 * (2 * leafCount - 1);
  const end = leafStarts[leaf + 1]!;
  for (let axis = 0; axis < 3; axis++) {
    let low = Infinity;
    let high = -Infinity;
    for (let slot = leafStarts[leaf]!; slot < end; slot++) {
      const a = corners[9 * slot + axis]!;
      const b = corners[9 * slot + axis + 3]!;
      const c = corners[9 * slot + axis + 6]!;
      const least = a < b ? (a < c ? a : c) : b < c ? b : c;
      const most = a > b ? (a > c ? a : c) : b > c ? b : c;
      boxes[ofSlots + 6 * slot + axis] = (least + most) / 2;
      boxes[ofSlots + 6 * slot + axis + 3] = (most - least) / 2;
      if (least < low) low = least;
      if (most > high) high = most;
    }
    boxes[ofLeaf + axis] = (low + high) / 2;
    boxes[ofLeaf + axis + 3] = (high - low) / 2;
  }
}

function boxInnerNode(boxes: Float64Array, node: number): void {
  const left = 12 * node + 6;
  for (let axis = 0; axis < 3; axis++) {
    const leftMiddle = boxes[left + axis]!;
    const leftExtent = boxes[left + axis + 3]!;
    const rightMiddle = boxes[left + axis + 6]!;
    const rightExtent = boxes[left + axis + 9]!;
    const leftLow = leftMiddle - leftExtent;
    const rightLow = rightMiddle - rightExtent;
    const leftHigh = leftMiddle + leftExtent;
    const rightHigh = rightMiddle + rightExtent;
    const low = leftLow < rightLow ? leftLow : rightLow;
    const high = leftHigh > rightHigh ? leftHigh : rightHigh;
    boxes[6 * node + axis] = (low + high) / 2;
    boxes[6 * node + axis + 3] = (high - low) / 2;
  }
}
