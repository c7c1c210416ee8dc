import { isCloser, tie, writeSquaredDistance } from './triangleDistance.js';
import type { TriangleTree } from './triangleTree.js';

/**
 * Closest triangles of points that lie outside of the whole mesh, by how far each node of the tree reaches towards the
 * point. Boxes bound that badly along a diagonal, and not at all where triangles overlap without order, as an untrained
 * network's do: there a search by boxes visits every triangle.
 *
 * A node reaches no farther along a direction d = α a + β b + γ c (α, β, γ ≥ 0) than α reach(a) + β reach(b) + γ reach(c);
 * a, b, c are the nearest axis, face diagonal and space diagonal, whose reaches are computed once. So
 * distance ≥ d · point − reach(d) for unit vectors d; d leads from the mesh's middle to the point.
 */
export class DistantSearch {
  /** Result of the last search. */
  readonly squaredDistance = new Float64Array(1);
  private readonly nodeCount: number;
  private readonly query = new Float64Array(4);
  private readonly stackNodes = new Int32Array(64);
  private readonly stackDistances = new Float64Array(64);

  /**
   * @param tree refitted; it must not be refitted again while the search is used.
   * @param reaches `reachesOf` it.
   */
  constructor(
    private readonly tree: TriangleTree,
    private readonly reaches: Float64Array,
  ) {
    this.nodeCount = 2 * tree.leafCount - 1;
  }

  /**
   * @param guess the slot of a triangle that may be near.
   * @returns the slot of the closest triangle; of equally near ones that of the lowest face.
   */
  run(x: number, y: number, z: number, guess: number): number {
    const { tree, reaches, nodeCount, query, stackNodes, stackDistances } = this;
    const { boxes, corners, leafCount, leafStarts, faceOfSlot } = tree;
    const towardsX = x - boxes[0]!;
    const towardsY = y - boxes[1]!;
    const towardsZ = z - boxes[2]!;
    const length = Math.sqrt(towardsX * towardsX + towardsY * towardsY + towardsZ * towardsZ);
    const ux = towardsX / length;
    const uy = towardsY / length;
    const uz = towardsZ / length;
    // The components by their size, each with what a step of its sign along its axis adds to a direction's index.
    let [large, middle, small] = [Math.abs(ux), Math.abs(uy), Math.abs(uz)];
    let largeStep = ux < 0 ? -9 : 9;
    let middleStep = uy < 0 ? -3 : 3;
    let smallStep = uz < 0 ? -1 : 1;
    if (middle > large) {
      [large, middle] = [middle, large];
      [largeStep, middleStep] = [middleStep, largeStep];
    }
    if (small > middle) {
      [middle, small] = [small, middle];
      [middleStep, smallStep] = [smallStep, middleStep];
    }
    if (middle > large) {
      [large, middle] = [middle, large];
      [largeStep, middleStep] = [middleStep, largeStep];
    }
    const alpha = large - middle;
    const beta = middle - small;
    const gamma = small;
    const a = nodeCount * (noDirection + largeStep);
    const b = a + nodeCount * middleStep;
    const c = b + nodeCount * smallStep;
    const along = ux * x + uy * y + uz * z;
    const slack = rounding * (length + Math.abs(along));

    query[0] = x;
    query[1] = y;
    query[2] = z;
    writeSquaredDistance(corners, 9 * guess, query);
    let best = query[3]!;
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
        const end = leafStarts[leaf + 1]!;
        for (let slot = leafStarts[leaf]!; slot < end; slot++) {
          if (slot === guess || along - reachOfTriangle(corners, 9 * slot, ux, uy, uz) > bound) continue;
          writeSquaredDistance(corners, 9 * slot, query);
          const distance = query[3]!;
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

/** Whether a point is so far from the mesh's middle that this search is the better one. @param boxes the tree's. */
export function isDistant(boxes: Float64Array, x: number, y: number, z: number): boolean {
  const dx = x - boxes[0]!;
  const dy = y - boxes[1]!;
  const dz = z - boxes[2]!;
  const ex = boxes[3]!;
  const ey = boxes[4]!;
  const ez = boxes[5]!;
  const squared = dx * dx + dy * dy + dz * dz;
  return squared > 1.5 * (ex * ex + ey * ey + ez * ez) && squared < Infinity;
}

function reachOfTriangle(corners: Float32Array, at: number, x: number, y: number, z: number): number {
  const a = x * corners[at]! + y * corners[at + 1]! + z * corners[at + 2]!;
  const b = x * corners[at + 3]! + y * corners[at + 4]! + z * corners[at + 5]!;
  const c = x * corners[at + 6]! + y * corners[at + 7]! + z * corners[at + 8]!;
  return Math.max(a, b, c);
}

/** What the few products of a reach may be off by, relative to the lengths in them. */
const rounding = 1e-12;

/**
 * A direction's components are −1, 0 or 1; 9 x + 3 y + z is its distance from this index, that of no direction at all.
 * Directions that are opposite to one another are computed together: there are 13 pairs.
 */
const noDirection = 13;
/** Directions in which the search for distant points bounds boxes; each counts for its opposite too. */
export const directionPairs = 13;

/** Numbers of all reaches of a tree. */
export function reachCount({ leafCount }: TriangleTree): number {
  return (2 * noDirection + 1) * (2 * leafCount - 1);
}

/** How far each node of a tree reaches in each of 26 directions. */
export function reachesOf(tree: TriangleTree): Float64Array {
  const reaches = new Float64Array(reachCount(tree));
  for (let pair = 0; pair < directionPairs; pair++) writeReaches(tree, pair, reaches);
  return reaches;
}

/**
 * max over each node's vertices v of direction · v, for a direction and the opposite one.
 *
 * @param pair 0 … `directionPairs` − 1; pairs may be written by several threads at a time.
 * @param reaches `[27, 2 leafCount − 1]`.
 */
export function writeReaches(tree: TriangleTree, pair: number, reaches: Float64Array): void {
  const { leafCount, leafStarts, corners } = tree;
  const nodeCount = 2 * leafCount - 1;
  const index = noDirection + 1 + pair;
  const [sx, sy, sz] = [Math.floor(index / 9) - 1, (Math.floor(index / 3) % 3) - 1, (index % 3) - 1];
  const forwards = nodeCount * index;
  const backwards = nodeCount * (2 * noDirection - index);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    let most = -Infinity;
    let least = Infinity;
    const end = 9 * leafStarts[leaf + 1]!;
    for (let i = 9 * leafStarts[leaf]!; i < end; i += 3) {
      const along = sx * corners[i]! + sy * corners[i + 1]! + sz * corners[i + 2]!;
      if (along > most) most = along;
      if (along < least) least = along;
    }
    reaches[forwards + leafCount - 1 + leaf] = most;
    reaches[backwards + leafCount - 1 + leaf] = -least;
  }
  for (const at of [forwards, backwards]) {
    for (let node = leafCount - 2; node >= 0; node--) {
      const left = reaches[at + 2 * node + 1]!;
      const right = reaches[at + 2 * node + 2]!;
      reaches[at + node] = left > right ? left : right;
    }
  }
}
