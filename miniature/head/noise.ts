/**
 * Smooth noise over space: random values on a lattice, interpolated with zero slope at the lattice points.
 *
 * @param seed which noise. @param x @param y @param z in lattice cells; divide by the wavelength.
 * @returns within ±1.
 */
export function valueNoise(seed: number, x: number, y: number, z: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const iz = Math.floor(z);
  const u = ease(x - ix);
  const v = ease(y - iy);
  const near = edge(seed, ix, iy, iz, u) * (1 - v) + edge(seed, ix, iy + 1, iz, u) * v;
  const far = edge(seed, ix, iy, iz + 1, u) * (1 - v) + edge(seed, ix, iy + 1, iz + 1, u) * v;
  return near + (far - near) * ease(z - iz);
}

function ease(t: number): number {
  return t * t * t * (t * (6 * t - 15) + 10);
}

/** Between two lattice points that are neighbours along x. */
function edge(seed: number, x: number, y: number, z: number, u: number): number {
  return latticeValue(seed, x, y, z) * (1 - u) + latticeValue(seed, x + 1, y, z) * u;
}

/** An integer hash (Wellons' lowbias32) of the lattice point, within ±1. */
function latticeValue(seed: number, x: number, y: number, z: number): number {
  let h = Math.imul(x, 0x8da6b343) ^ Math.imul(y, 0xd8163841) ^ Math.imul(z, 0xcb1ab31f) ^ seed;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
}
