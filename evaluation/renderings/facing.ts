import type { Mesh } from '../../geometry/mesh/mesh.js';
import { vertexNormals } from '../../geometry/mesh/normals.js';

/** Where a face looks: the sum of its vertices' normals. */
export function facing(head: Mesh, face: ArrayLike<number>): [number, number, number] {
  const normals = vertexNormals(head);
  const sum: [number, number, number] = [0, 0, 0];
  for (const vertex of Array.from(face)) for (let axis = 0; axis < 3; axis++) sum[axis]! += normals[3 * vertex + axis]!;
  return sum;
}
