import { isCloser, squaredDistanceToTriangle, tie } from './triangleDistance.js';
import type { TriangleTree } from './triangleTree.js';

/**
 * Closest triangles of points that lie outside of the whole mesh, by how far each node of the tree reaches towards the
 * point. Boxes tell that badly along a diagonal, and not at all where triangles overlap without order, as an untrained
 * network's do: there a search by boxes visits every triangle.
 *
 * A node reaches no farther along a direction d = α a + β b + γ c (α, β, γ ≥ 0) than α reach(a) + β reach(b) + γ reach(c);
 * a, b, c are the nearest axis, face diagonal and space diagonal, whose reaches are computed once. So
 * distance ≥ d · point − reach(d) for unit vectors d; d leads from the mesh's middle to the point.
 */
export class DistantSearch {
  /** Of the last search. */
  readonly squaredDistance = new Float64Array(1);
  private readonly reaches: Float64Array;
  private readonly nodeCount: number;
  private readonly stackNodes = new Int32Array(64);
  private readonly stackDistances = new Float64Array(64);

  /** @param tree refitted; it must not be refitted again while the search is used. */
  constructor(private readonly tree: TriangleTree) {
    this.nodeCount = 2 * tree.leafCount - 1;
    this.reaches = reachesOf(tree, this.nodeCount);
  }

  /** Whether a point is so far from the mesh's middle that this search is the better one. */
  static isDistant({ boxes }: TriangleTree, x: number, y: number, z: number): boolean {
    const [cx, cy, cz, ex, ey, ez] = boxes as ArrayLike<number> as [number, number, number, number, number, number];
    const squared = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2;
    return squared > 1.5 * (ex * ex + ey * ey + ez * ez) && squared < Infinity;
  }

  /**
   * @param guess the slot of a triangle that may be near.
   * @returns the slot of the closest triangle; of equally near ones that of the lowest face.
   */
  run(x: number, y: number, z: number, guess: number): number {
    const { tree, reaches, nodeCount, stackNodes, stackDistances } = this;
    const { boxes, corners, leafCount, leafStarts, faceOfSlot } = tree;
    const towards = [x - boxes[0]!, y - boxes[1]!, z - boxes[2]!] as const;
    const length = Math.hypot(...towards);
    const [first, second, third] = [0, 1, 2].sort((a, b) => Math.abs(towards[b]!) - Math.abs(towards[a]!)) as [
      number,
      number,
      number,
    ];
    const signs = towards.map((component) => (component < 0 ? -1 : 1));
    const parts = towards.map((component) => Math.abs(component) / length);
    const alpha = parts[first]! - parts[second]!;
    const beta = parts[second]! - parts[third]!;
    const gamma = parts[third]!;
    const kept = (...axes: number[]): number =>
      nodeCount * directionIndex([0, 1, 2].map((axis) => (axes.includes(axis) ? signs[axis]! : 0)));
    const a = kept(first);
    const b = kept(first, second);
    const c = kept(first, second, third);
    const [ux, uy, uz] = [towards[0] / length, towards[1] / length, towards[2] / length];
    const along = ux * x + uy * y + uz * z;
    const slack = rounding * (length + Math.abs(along));

    let best = squaredDistanceToTriangle(corners, 9 * guess, x, y, z);
    let bestSlot = guess;
    let bound = Math.sqrt(best * (1 + tie.relative) + tie.absolute) + slack;
    let depth = 0;
    let node = 0;
    for (;;) {
      if (node < leafCount - 1) {
        const left = 2 * node + 1;
        const right = left + 1;
        const leftDistance =
          along - (alpha * reaches[a + left]! + beta * reaches[b + left]! + gamma * reaches[c + left]!);
        const rightDistance =
          along - (alpha * reaches[a + right]! + beta * reaches[b + right]! + gamma * reaches[c + right]!);
        const leftFirst = leftDistance <= rightDistance;
        const far = leftFirst ? rightDistance : leftDistance;
        if (far <= bound) {
          stackNodes[depth] = leftFirst ? right : left;
          stackDistances[depth++] = far;
        }
        if ((leftFirst ? leftDistance : rightDistance) <= bound) {
          node = leftFirst ? left : right;
          continue;
        }
      } else {
        const leaf = node - (leafCount - 1);
        for (let slot = leafStarts[leaf]!; slot < leafStarts[leaf + 1]!; slot++) {
          if (along - reachOfTriangle(corners, 9 * slot, ux, uy, uz) > bound) continue;
          const distance = squaredDistanceToTriangle(corners, 9 * slot, x, y, z);
          if (!isCloser(distance, faceOfSlot[slot]!, best, faceOfSlot[bestSlot]!)) continue;
          bestSlot = slot;
          if (distance < best) best = distance;
          bound = Math.sqrt(best * (1 + tie.relative) + tie.absolute) + slack;
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

function reachOfTriangle(corners: Float32Array, at: number, x: number, y: number, z: number): number {
  const a = x * corners[at]! + y * corners[at + 1]! + z * corners[at + 2]!;
  const b = x * corners[at + 3]! + y * corners[at + 4]! + z * corners[at + 5]!;
  const c = x * corners[at + 6]! + y * corners[at + 7]! + z * corners[at + 8]!;
  return Math.max(a, b, c);
}

/** What the few products of a reach may be off by, relative to the lengths in them. */
const rounding = 1e-12;

/** Of a direction whose components are −1, 0 or 1: 0 … 26. */
function directionIndex(signs: readonly number[]): number {
  return signs.reduce((index, sign) => 3 * index + sign + 1, 0);
}

/** max over each node's vertices v of direction · v, for each of the 26 directions. `[27, 2 leafCount − 1]` */
function reachesOf({ leafCount, leafStarts, corners }: TriangleTree, nodeCount: number): Float64Array {
  const reaches = new Float64Array(27 * nodeCount).fill(-Infinity);
  for (let direction = 0; direction < 27; direction++) {
    const [sx, sy, sz] = [Math.floor(direction / 9) - 1, (Math.floor(direction / 3) % 3) - 1, (direction % 3) - 1];
    const at = direction * nodeCount;
    for (let leaf = 0; leaf < leafCount; leaf++) {
      let reach = -Infinity;
      for (let i = 9 * leafStarts[leaf]!; i < 9 * leafStarts[leaf + 1]!; i += 3) {
        const along = sx * corners[i]! + sy * corners[i + 1]! + sz * corners[i + 2]!;
        if (along > reach) reach = along;
      }
      reaches[at + leafCount - 1 + leaf] = reach;
    }
    for (let node = leafCount - 2; node >= 0; node--) {
      reaches[at + node] = Math.max(reaches[at + 2 * node + 1]!, reaches[at + 2 * node + 2]!);
    }
  }
  return reaches;
}
