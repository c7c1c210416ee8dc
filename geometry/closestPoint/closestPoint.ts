import { DistantSearch, isDistant, reachesOf } from './distantSearch.js';
import { spatialOrder } from './spatialOrder.js';
import { isCloser, tie, writePlaneBarycentric, writeSquaredDistance } from './triangleDistance.js';
import type { TriangleTree } from './triangleTree.js';

/** For each of N points, the closest triangle of a mesh. */
export interface ClosestFaces {
  /** `[N]` the closest triangle; of equally near ones the lowest index. */
  readonly faceIndices: Int32Array;
  /** `[N]` exact unsigned distance to it, mm. */
  readonly distances: Float32Array;
}

/** For each of N points, the closest place on a mesh. */
export interface ClosestPoints extends ClosestFaces {
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
  const reaches = hasDistantPoints(tree, points) ? reachesOf(tree) : null;
  new ClosestSearch(tree, reaches).run(points, spatialOrder(points), 0, count, found);
  const slotOfFace = new Uint32Array(tree.faceOfSlot.length);
  for (let slot = 0; slot < slotOfFace.length; slot++) slotOfFace[tree.faceOfSlot[slot]!] = slot;
  for (let i = 0; i < count; i++) {
    const [x, y, z] = [points[3 * i]!, points[3 * i + 1]!, points[3 * i + 2]!];
    writePlaneBarycentric(tree.corners, 9 * slotOfFace[found.faceIndices[i]!]!, x, y, z, found.barycentric, 3 * i);
  }
  return found;
}

/** Whether a search of these points needs the tree's reaches (`reachesOf`). */
export function hasDistantPoints(tree: TriangleTree, points: Float32Array): boolean {
  for (let i = 0; i < points.length; i += 3) {
    if (isDistant(tree.boxes, points[i]!, points[i + 1]!, points[i + 2]!)) return true;
  }
  return false;
}

/** Searches over one tree. What is found for a point does not depend on which others are searched with it. */
export class ClosestSearch {
  private readonly distant: DistantSearch | null;
  private readonly query = new Float64Array(4);
  private readonly stackNodes = new Int32Array(64);
  private readonly stackDistances = new Float64Array(64);

  /** @param reaches null: no point is distant (`hasDistantPoints`). */
  constructor(
    private readonly tree: TriangleTree,
    reaches: Float64Array | null,
  ) {
    this.distant = reaches && new DistantSearch(tree, reaches);
  }

  /**
   * Searches the points `order[from]` … `order[end - 1]`: branch and bound, the nearer child first.
   *
   * @param points `[N, 3]`, mm.
   * @param order `spatialOrder` of them: neighbours in it are neighbours in space, so each point's triangle is a good
   *   first guess for the next one's.
   * @throws RangeError when a coordinate of a point is not finite.
   */
  run(points: Float32Array, order: Uint32Array, from: number, end: number, found: ClosestFaces): void {
    const { distant, query, stackNodes, stackDistances } = this;
    const { boxes, corners, leafCount, leafStarts, faceOfSlot } = this.tree;
    const { faceIndices, distances } = found;
    const ofSlots = 6 * (2 * leafCount - 1);
    let guess = 0;
    for (let k = from; k < end; k++) {
      const i = order[k]!;
      const x = points[3 * i]!;
      const y = points[3 * i + 1]!;
      const z = points[3 * i + 2]!;
      if (distant !== null && isDistant(boxes, x, y, z)) {
        guess = distant.run(x, y, z, guess);
        faceIndices[i] = faceOfSlot[guess]!;
        distances[i] = Math.sqrt(distant.squaredDistance[0]!);
        continue;
      }
      query[0] = x;
      query[1] = y;
      query[2] = z;
      writeSquaredDistance(corners, 9 * guess, query);
      let best = query[3]!;
      if (!(best < Infinity)) {
        throw new RangeError(`closest triangle of (${x}, ${y}, ${z}): the point is not finite`);
      }
      let bestSlot = guess;
      // Twice the distances below are compared with this, 4 · best: see boxDistance.
      let bound = 4 * (best * (1 + tie.relative) + tie.absolute);
      let depth = 0;
      let node = 0;
      search: for (;;) {
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
          const endOfLeaf = leafStarts[leaf + 1]!;
          for (let slot = leafStarts[leaf]!; slot < endOfLeaf; slot++) {
            if (slot === guess || boxDistance(boxes, ofSlots + 6 * slot, x, y, z) > bound) continue;
            writeSquaredDistance(corners, 9 * slot, query);
            const distance = query[3]!;
            if (!isCloser(distance, faceOfSlot[slot]!, best, faceOfSlot[bestSlot]!)) continue;
            bestSlot = slot;
            // The smallest of a tie is kept as the bound, so that ties do not creep upwards.
            if (distance < best) best = distance;
            bound = 4 * (best * (1 + tie.relative) + tie.absolute);
          }
        }
        do {
          if (depth === 0) break search;
          depth--;
        } while (stackDistances[depth]! > bound);
        node = stackNodes[depth]!;
      }
      guess = bestSlot;
      faceIndices[i] = faceOfSlot[guess]!;
      distances[i] = Math.sqrt(best);
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
