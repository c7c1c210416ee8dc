/** Squared distances that differ by less are equal: what float64 rounding makes of a point nearest to an edge or a vertex. */
export const tie = { relative: 1e-10, absolute: 1e-20 } as const;

/** Whether a triangle takes the place of the closest one so far: it is nearer, or as near and of a lower face. Squared distances. */
export function isCloser(distance: number, face: number, closest: number, closestFace: number): boolean {
  if (distance > closest * (1 + tie.relative) + tie.absolute) return false;
  const tied = distance >= closest * (1 - tie.relative) - tie.absolute;
  return !(tied && face >= closestFace);
}

/** A point x y z and, fourth, a squared distance: as an argument and a result, numbers would be allocated in each call. */
export type Query = Float64Array;

/**
 * Exact squared distance of a point to a triangle (C. Ericson, Real-Time Collision Detection, 5.1.5: the Voronoi region
 * of the triangle's feature that is nearest). Triangles without area count as the edge or the point that they are.
 *
 * @param corners coordinates a b c of triangles, 9 numbers each. @param at where this triangle's start.
 */
export function writeSquaredDistance(corners: Float32Array, at: number, query: Query): void {
  const ax = corners[at]!;
  const ay = corners[at + 1]!;
  const az = corners[at + 2]!;
  const abX = corners[at + 3]! - ax;
  const abY = corners[at + 4]! - ay;
  const abZ = corners[at + 5]! - az;
  const acX = corners[at + 6]! - ax;
  const acY = corners[at + 7]! - ay;
  const acZ = corners[at + 8]! - az;
  const apX = query[0]! - ax;
  const apY = query[1]! - ay;
  const apZ = query[2]! - az;
  const abAb = abX * abX + abY * abY + abZ * abZ;
  const abAc = abX * acX + abY * acY + abZ * acZ;
  const acAc = acX * acX + acY * acY + acZ * acZ;
  const d1 = abX * apX + abY * apY + abZ * apZ;
  const d2 = acX * apX + acY * apY + acZ * apZ;
  const d3 = d1 - abAb;
  const d4 = d2 - abAc;
  const d5 = d1 - abAc;
  const d6 = d2 - acAc;
  // The closest point is a + s ab + t ac.
  let s: number;
  let t: number;
  const vc = d1 * d4 - d3 * d2;
  const vb = d5 * d2 - d1 * d6;
  const va = d3 * d6 - d5 * d4;
  if (d1 <= 0 && d2 <= 0) {
    s = 0;
    t = 0;
  } else if (d3 >= 0 && d4 <= d3) {
    s = 1;
    t = 0;
  } else if (vc <= 0 && d1 >= 0 && d3 <= 0 && abAb > 0) {
    s = d1 / abAb;
    t = 0;
  } else if (d6 >= 0 && d5 <= d6) {
    s = 0;
    t = 1;
  } else if (vb <= 0 && d2 >= 0 && d6 <= 0 && acAc > 0) {
    s = 0;
    t = d2 / acAc;
  } else if (va <= 0 && d4 >= d3 && d5 >= d6) {
    t = (d4 - d3) / (d4 - d3 + (d5 - d6));
    s = 1 - t;
  } else {
    const sum = va + vb + vc;
    s = sum > 0 ? vb / sum : 0;
    t = sum > 0 ? vc / sum : 0;
  }
  const dx = apX - s * abX - t * acX;
  const dy = apY - s * abY - t * acY;
  const dz = apZ - s * abZ - t * acZ;
  query[3] = dx * dx + dy * dy + dz * dz;
}

/**
 * Barycentric coordinates of a point's projection on a triangle's plane, not clamped (method 4). A triangle whose normal
 * n has n·n < 1e-16 uses 1 for the divisor.
 */
export function writePlaneBarycentric(
  corners: Float32Array,
  at: number,
  x: number,
  y: number,
  z: number,
  output: Float32Array | Float64Array,
  outputAt: number,
): void {
  const ax = corners[at]!;
  const ay = corners[at + 1]!;
  const az = corners[at + 2]!;
  const uX = corners[at + 3]! - ax;
  const uY = corners[at + 4]! - ay;
  const uZ = corners[at + 5]! - az;
  const vX = corners[at + 6]! - ax;
  const vY = corners[at + 7]! - ay;
  const vZ = corners[at + 8]! - az;
  const wX = x - ax;
  const wY = y - ay;
  const wZ = z - az;
  const nX = uY * vZ - uZ * vY;
  const nY = uZ * vX - uX * vZ;
  const nZ = uX * vY - uY * vX;
  const squared = nX * nX + nY * nY + nZ * nZ;
  const divisor = squared < 1e-16 ? 1 : squared;
  // Weight of c: (u × w)·n / n·n; of b: (w × v)·n / n·n.
  const c = ((uY * wZ - uZ * wY) * nX + (uZ * wX - uX * wZ) * nY + (uX * wY - uY * wX) * nZ) / divisor;
  const b = ((wY * vZ - wZ * vY) * nX + (wZ * vX - wX * vZ) * nY + (wX * vY - wY * vX) * nZ) / divisor;
  output[outputAt] = 1 - b - c;
  output[outputAt + 1] = b;
  output[outputAt + 2] = c;
}
