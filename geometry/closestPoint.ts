import { DistantSearch } from './distantSearch.js';
import { spatialOrder } from './spatialOrder.js';
import { isCloser, squaredDistanceToTriangle, tie, writePlaneBarycentric } from './triangleDistance.js';
import type { TriangleTree } from './triangleTree.js';

/** For each of N points, the closest place on a mesh. */
export interface ClosestPoints {
  /** `[N]` the closest triangle; of equally near ones the lowest index. */
  readonly faceIndices: Int32Array;
  /** `[N]` exact unsigned distance to it, mm. */
  readonly distances: Float32Array;
  /**
   * `[N, 3]` barycentric coordinates, in that triangle, of the point's projection on the triangle's plane: not clamped,
   * so they may be negative (method 4).
   */
  readonly barycentric: Float32Array;
}

/**
 * Finds the closest triangle of each point by exact point–triangle distance.
 *
 * @param tree refitted to the mesh's vertices.
 * @param points `[N, 3]`, mm.
 * @throws RangeError when a coordinate of a point is not finite.
 */
export function findClosestPoints(tree: TriangleTree, points: Float32Array): ClosestPoints {
  const count = points.length / 3;
  const found: ClosestPoints = {
    faceIndices: new Int32Array(count),
    distances: new Float32Array(count),
    barycentric: new Float32Array(3 * count),
  };
  const search = new Search(tree);
  let distant: DistantSearch | undefined;
  let slot = 0;
  // Neighbours in this order are neighbours in space, so each point's face is a good first guess for the next one's.
  for (const i of spatialOrder(points)) {
    const x = points[3 * i]!;
    const y = points[3 * i + 1]!;
    const z = points[3 * i + 2]!;
    const isDistant = DistantSearch.isDistant(tree, x, y, z);
    if (isDistant) distant ??= new DistantSearch(tree);
    const used = isDistant ? distant! : search;
    slot = used.run(x, y, z, slot);
    found.faceIndices[i] = tree.faceOfSlot[slot]!;
    found.distances[i] = Math.sqrt(used.squaredDistance[0]!);
    writePlaneBarycentric(tree.corners, 9 * slot, x, y, z, found.barycentric, 3 * i);
  }
  return found;
}

/** One search after the other over the same tree: branch and bound, the nearer child first. */
class Search {
  /** Of the last search; in an array because a number field of a class would be allocated anew at each write. */
  readonly squaredDistance = new Float64Array(1);
  private readonly stackNodes = new Int32Array(64);
  private readonly stackDistances = new Float64Array(64);

  constructor(private readonly tree: TriangleTree) {}

  /** @param guess the slot of a triangle that may be near. @returns the slot of the closest triangle. */
  run(x: number, y: number, z: number, guess: number): number {
    const { boxes, corners, leafCount, leafStarts, faceOfSlot } = this.tree;
    const { stackNodes, stackDistances } = this;
    let best = squaredDistanceToTriangle(corners, 9 * guess, x, y, z);
    if (!(best < Infinity)) {
      throw new RangeError(`closest triangle of (${x}, ${y}, ${z}): the point is not finite`);
    }
    let bestSlot = guess;
    // Twice the distances below are compared with this, 4 · best: see boxDistance.
    let bound = 4 * (best * (1 + tie.relative) + tie.absolute);
    let depth = 0;
    let node = 0;
    for (;;) {
      if (node < leafCount - 1) {
        const left = 2 * node + 1;
        const leftDistance = boxDistance(boxes, 6 * left, x, y, z);
        const rightDistance = boxDistance(boxes, 6 * left + 6, x, y, z);
        if (leftDistance <= rightDistance) {
          if (rightDistance <= bound) {
            stackNodes[depth] = left + 1;
            stackDistances[depth++] = rightDistance;
          }
          if (leftDistance <= bound) {
            node = left;
            continue;
          }
        } else {
          if (leftDistance <= bound) {
            stackNodes[depth] = left;
            stackDistances[depth++] = leftDistance;
          }
          if (rightDistance <= bound) {
            node = left + 1;
            continue;
          }
        }
      } else {
        const leaf = node - (leafCount - 1);
        const end = leafStarts[leaf + 1]!;
        for (let slot = leafStarts[leaf]!; slot < end; slot++) {
          const distance = squaredDistanceToTriangle(corners, 9 * slot, x, y, z);
          if (!isCloser(distance, faceOfSlot[slot]!, best, faceOfSlot[bestSlot]!)) continue;
          bestSlot = slot;
          // The smallest of a tie is kept as the bound, so that ties do not creep upwards.
          if (distance < best) best = distance;
          bound = 4 * (best * (1 + tie.relative) + tie.absolute);
        }
      }
      do {
        if (depth === 0) {
          this.squaredDistance[0] = best;
          return bestSlot;
        }
        depth--;
      } while (stackDistances[depth]! > bound);
      node = stackNodes[depth]!;
    }
  }
}

/** Four times the squared distance of a point to a box (centre, half extent): x + |x| is 2 max(x, 0) without a branch. */
function boxDistance(boxes: Float64Array, at: number, x: number, y: number, z: number): number {
  const outsideX = Math.abs(x - boxes[at]!) - boxes[at + 3]!;
  const outsideY = Math.abs(y - boxes[at + 1]!) - boxes[at + 4]!;
  const outsideZ = Math.abs(z - boxes[at + 2]!) - boxes[at + 5]!;
  const dx = outsideX + Math.abs(outsideX);
  const dy = outsideY + Math.abs(outsideY);
  const dz = outsideZ + Math.abs(outsideZ);
  return dx * dx + dy * dy + dz * dz;
}
