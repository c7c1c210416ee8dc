/**
 * A triangle mesh in fixed topology: many meshes share one `faces` array and differ in `vertices`.
 * Legend of letters for shapes: L vertices, F faces, E edges.
 */
export interface Mesh {
  /** Positions, `[L, 3]`, mm inside the program (files hold metres). */
  readonly vertices: Float32Array;
  /** Vertex indices of each triangle, `[F, 3]`, counter-clockwise seen from outside. */
  readonly faces: Uint32Array;
}

/** Shape and index checks for a mesh that comes from outside. */
export function checkMesh(mesh: Mesh, name: string): void {
  const { vertices, faces } = mesh;
  if (vertices.length === 0 || vertices.length % 3 !== 0) {
    throw new RangeError(`${name}: ${vertices.length} vertex coordinates; expected a positive multiple of 3`);
  }
  if (faces.length === 0 || faces.length % 3 !== 0) {
    throw new RangeError(`${name}: ${faces.length} face indices; expected a positive multiple of 3`);
  }
  const vertexCount = vertices.length / 3;
  for (let i = 0; i < faces.length; i++) {
    if (faces[i]! >= vertexCount) {
      throw new RangeError(
        `${name}: face ${Math.floor(i / 3)} names vertex ${faces[i]}, but there are ${vertexCount} vertices (counted from 0)`,
      );
    }
  }
}
