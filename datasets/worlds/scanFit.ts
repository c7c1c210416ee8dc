import { findClosestPoints } from '../../geometry/closestPoint/closestPoint.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { buildTriangleTree, type TriangleTree } from '../../geometry/closestPoint/triangleTree.js';

/** Points of the scan that are measured to the surface, and of the surface that are measured to the scan. */
const measured = 300;
/** Points of the scan that the surface's are measured to. */
const dense = 5000;

/**
 * How far a scan is from a surface. Of the two medians (of the scan's points to the surface, and of the surface's
 * vertices to the scan) the smaller counts: a scan may hold shoulders, and may lack the back of the head.
 */
export class ScanFit {
  private readonly tree: TriangleTree;
  private readonly vertices: Float32Array;
  private readonly few: Float32Array;
  private readonly many: Float32Array;

  /** @param surface mm, with faces. @param scan `[n, 3]`, mm. */
  constructor(surface: Mesh, scan: Float32Array) {
    this.tree = buildTriangleTree(surface);
    this.vertices = everyFew(surface.vertices, measured);
    this.few = everyFew(scan, measured);
    this.many = everyFew(scan, dense);
  }

  /** Median distance, mm, if the scan's points were changed so. */
  distance(change: (x: number, y: number, z: number) => readonly [number, number, number]): number {
    const toSurface = findClosestPoints(this.tree, changed(this.few, change)).distances;
    const toScan = nearestDistances(this.vertices, changed(this.many, change));
    return Math.min(median(toSurface), median(toScan));
  }
}

/** About so many of the points, evenly over their order. `[N, 3]` */
function everyFew(points: Float32Array, count: number): Float32Array {
  const total = points.length / 3;
  if (total <= count) return points;
  const chosen = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const from = 3 * Math.floor((i * total) / count);
    chosen.set(points.subarray(from, from + 3), 3 * i);
  }
  return chosen;
}

function changed(
  points: Float32Array,
  change: (x: number, y: number, z: number) => readonly [number, number, number],
): Float32Array {
  const result = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) result.set(change(points[i]!, points[i + 1]!, points[i + 2]!), i);
  return result;
}

function nearestDistances(from: Float32Array, to: Float32Array): Float32Array {
  const distances = new Float32Array(from.length / 3);
  for (let i = 0; i < distances.length; i++) {
    const [x, y, z] = [from[3 * i]!, from[3 * i + 1]!, from[3 * i + 2]!];
    let least = Infinity;
    for (let j = 0; j < to.length; j += 3) {
      const squared = (to[j]! - x) ** 2 + (to[j + 1]! - y) ** 2 + (to[j + 2]! - z) ** 2;
      if (squared < least) least = squared;
    }
    distances[i] = Math.sqrt(least);
  }
  return distances;
}

export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? 0 : sorted[sorted.length >> 1]!;
}
