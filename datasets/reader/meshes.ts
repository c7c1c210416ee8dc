import type { Mesh } from '../../geometry/mesh/mesh.js';

/** Meshes are stored in metres; inside of the program lengths are millimetres. The faces are shared with `mesh`. */
export function meshInMillimetres(mesh: Mesh): Mesh {
  return { vertices: mesh.vertices.map((metres) => metres * 1000), faces: mesh.faces };
}

/** For export. The faces are shared with `mesh`. */
export function meshInMetres(mesh: Mesh): Mesh {
  return { vertices: mesh.vertices.map((millimetres) => millimetres / 1000), faces: mesh.faces };
}
