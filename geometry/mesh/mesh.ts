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
