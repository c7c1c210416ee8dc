import { findClosestPoints, type ClosestPoints } from '../../geometry/closestPoint/closestPoint.js';
import { refitTriangleTree, type TriangleTree } from '../../geometry/closestPoint/triangleTree.js';

/**
 * Point-to-surface errors: from each scan point to the nearest point of a mesh.
 *
 * @param tree of the topology; refitted to the vertices here.
 * @param vertices `[L, 3]`, mm. @param points `[N, 3]`, mm.
 */
export function pointToSurface(tree: TriangleTree, vertices: Float32Array, points: Float32Array): ClosestPoints {
  refitTriangleTree(tree, vertices);
  return findClosestPoints(tree, points);
}

/** Distances between corresponding vertices. @param a `[L, 3]`, mm. @param b `[L, 3]`, mm. @returns `[L]`, mm. */
export function vertexErrors(a: Float32Array, b: Float32Array): Float32Array {
  if (a.length !== b.length) {
    throw new RangeError(`vertex errors: ${a.length / 3} and ${b.length / 3} vertices; expected the same topology`);
  }
  return Float32Array.from({ length: a.length / 3 }, (_, vertex) => {
    const i = 3 * vertex;
    return Math.hypot(a[i]! - b[i]!, a[i + 1]! - b[i + 1]!, a[i + 2]! - b[i + 2]!);
  });
}

/**
 * Errors of scan points, brought to the vertices of the triangles that they are nearest to: what a picture is coloured by.
 *
 * @param faces `[F, 3]`. @returns `[L]` mean error, mm; NaN where no scan point is near.
 */
export function errorsAtVertices(closest: ClosestPoints, faces: Uint32Array, vertexCount: number): Float32Array {
  const sums = new Float64Array(vertexCount);
  const weights = new Float64Array(vertexCount);
  for (let point = 0; point < closest.distances.length; point++) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = faces[3 * closest.faceIndices[point]! + corner]!;
      sums[vertex]! += closest.distances[point]!;
      weights[vertex]!++;
    }
  }
  return Float32Array.from(sums, (sum, vertex) => sum / weights[vertex]!);
}
