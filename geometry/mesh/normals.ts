import type { Mesh } from './mesh.js';

/**
 * Un-normalised face normals: cross product of two sides, so the length is twice the area.
 *
 * @returns `[F, 3]` in mm², float64; the caller's.
 */
function faceCrossProducts({ vertices, faces }: Mesh): Float64Array {
  const crosses = new Float64Array(faces.length);
  for (let i = 0; i < faces.length; i += 3) {
    const a = 3 * faces[i]!;
    const b = 3 * faces[i + 1]!;
    const c = 3 * faces[i + 2]!;
    const abX = vertices[b]! - vertices[a]!;
    const abY = vertices[b + 1]! - vertices[a + 1]!;
    const abZ = vertices[b + 2]! - vertices[a + 2]!;
    const acX = vertices[c]! - vertices[a]!;
    const acY = vertices[c + 1]! - vertices[a + 1]!;
    const acZ = vertices[c + 2]! - vertices[a + 2]!;
    crosses[i] = abY * acZ - abZ * acY;
    crosses[i + 1] = abZ * acX - abX * acZ;
    crosses[i + 2] = abX * acY - abY * acX;
  }
  return crosses;
}

/** Face areas, `[F]` in mm². */
export function faceAreas(mesh: Mesh): Float64Array {
  const crosses = faceCrossProducts(mesh);
  const areas = new Float64Array(crosses.length / 3);
  for (let face = 0; face < areas.length; face++) {
    areas[face] = 0.5 * Math.hypot(crosses[3 * face]!, crosses[3 * face + 1]!, crosses[3 * face + 2]!);
  }
  return areas;
}

/**
 * Vertex normals (method 3.2): sum of the un-normalised normals of the faces around a vertex, normalised.
 *
 * @returns `[L, 3]`; zero for a vertex in no face.
 */
export function vertexNormals(mesh: Mesh): Float32Array {
  const crosses = faceCrossProducts(mesh);
  const sums = new Float64Array(mesh.vertices.length);
  for (let i = 0; i < mesh.faces.length; i += 3) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = 3 * mesh.faces[i + corner]!;
      sums[vertex]! += crosses[i]!;
      sums[vertex + 1]! += crosses[i + 1]!;
      sums[vertex + 2]! += crosses[i + 2]!;
    }
  }
  return normalisedRows(sums);
}

function normalisedRows(rows: Float64Array): Float32Array {
  const unit = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i += 3) {
    const length = Math.hypot(rows[i]!, rows[i + 1]!, rows[i + 2]!);
    if (length === 0) continue;
    unit[i] = rows[i]! / length;
    unit[i + 1] = rows[i + 1]! / length;
    unit[i + 2] = rows[i + 2]! / length;
  }
  return unit;
}
