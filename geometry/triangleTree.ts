import type { Mesh } from './mesh.js';

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
  /** `[2 leafCount - 1, 6]` centre and half extent of each node's box, x y z x y z. */
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
    boxes: new Float64Array(6 * (2 * leafCount - 1)),
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
 * Moves the tree's triangles to new vertices of the same topology. Searches stay exact however far they moved; the
 * tree is only slower when the shape has nothing in common with the one that it was built from.
 *
 * @param vertices `[L, 3]`, mm.
 * @throws RangeError when a vertex of a face is missing or not finite.
 */
export function refitTriangleTree(tree: TriangleTree, vertices: Float32Array): void {
  const { leafCount, leafStarts, verticesOfSlot, corners, boxes } = tree;
  for (let i = 0; i < verticesOfSlot.length; i++) {
    const vertex = 3 * verticesOfSlot[i]!;
    corners[3 * i] = vertices[vertex]!;
    corners[3 * i + 1] = vertices[vertex + 1]!;
    corners[3 * i + 2] = vertices[vertex + 2]!;
  }
  const broken = corners.findIndex((coordinate) => !Number.isFinite(coordinate));
  if (broken >= 0) {
    throw new RangeError(
      `closest-point search: vertex ${verticesOfSlot[Math.floor(broken / 3)]} of ${vertices.length / 3} is missing or not finite`,
    );
  }
  const nodeCount = 2 * leafCount - 1;
  for (let node = nodeCount - 1; node >= 0; node--) {
    const leaf = node - (leafCount - 1);
    for (let axis = 0; axis < 3; axis++) {
      let low = Infinity;
      let high = -Infinity;
      if (leaf >= 0) {
        for (let i = 9 * leafStarts[leaf]! + axis; i < 9 * leafStarts[leaf + 1]!; i += 3) {
          const value = corners[i]!;
          if (value < low) low = value;
          if (value > high) high = value;
        }
      } else {
        for (let child = 12 * node + 6 + axis; child <= 12 * node + 12 + axis; child += 6) {
          low = Math.min(low, boxes[child]! - boxes[child + 3]!);
          high = Math.max(high, boxes[child]! + boxes[child + 3]!);
        }
      }
      boxes[6 * node + axis] = (low + high) / 2;
      boxes[6 * node + axis + 3] = (high - low) / 2;
    }
  }
}
