import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { RegionName } from '../../datasets/vertexRegions.js';
import { ear, features } from './headSurface.js';

/** Ascending vertex indices of each region; none is empty; regions overlap as FLAME's do. */
export type Regions = Readonly<Record<RegionName, Uint32Array>>;

/**
 * Finds the regions of a generated head by where its vertices lie.
 *
 * @param part `[L]`, 0 skin, 1 and 2 the eyeballs. @param v @param theta parameters of the skin's vertices.
 * @param boundary the neck's open edge.
 */
export function findRegions(
  mesh: Mesh,
  part: Uint8Array,
  v: Float64Array,
  theta: Float64Array,
  boundary: Uint32Array,
): Regions {
  const skinCount = v.length;
  const all = Array.from(part, (_, vertex) => vertex);
  const of = (wanted: number): Uint32Array => Uint32Array.from(all.filter((vertex) => part[vertex] === wanted));
  /** Skin vertices nearer than 1 by a distance; the `least` nearest where there are fewer. */
  const near = (least: number, distance: (x: number, y: number, z: number, vertex: number) => number): Uint32Array => {
    const ranked = all
      .slice(0, skinCount)
      .map((vertex) => {
        const [x = 0, y = 0, z = 0] = mesh.vertices.subarray(3 * vertex, 3 * vertex + 3);
        return { vertex, distance: distance(x, y, z, vertex) };
      })
      .sort((a, b) => a.distance - b.distance || a.vertex - b.vertex);
    const inside = ranked.filter((entry) => entry.distance < 1).length;
    return Uint32Array.from(ranked.slice(0, Math.max(least, inside)).map((entry) => entry.vertex)).sort();
  };
  const ellipse = (centre: readonly [number, number], width: number, height: number, sign = 1) => {
    return (x: number, y: number, z: number): number =>
      z < 20 ? 100 + Math.abs(x) : Math.hypot((x - sign * centre[0]) / width, (y - centre[1]) / height);
  };
  const earDistance = (sign: number) => {
    return (x: number, y: number, z: number): number =>
      sign * x < 40 ? 100 : Math.hypot((y - ear.middle[0]) / 40, (z - ear.middle[1] + 6) / 24);
  };
  const nostrils = (x: number, y: number, z: number): number =>
    z < 20 ? 100 : Math.hypot((Math.abs(x) - features.nostril[0]) / 8, (y - features.nostril[1]) / 7);
  return {
    face: near(12, ellipse([0, -10], 62, 76)),
    left_ear: near(3, earDistance(1)),
    right_ear: near(3, earDistance(-1)),
    left_eyeball: of(1),
    right_eyeball: of(2),
    left_eye_region: near(3, ellipse(features.eye, 19, 13)),
    right_eye_region: near(3, ellipse(features.eye, 19, 13, -1)),
    lips: near(4, ellipse(features.mouth, 29, 14)),
    neck: near(6, (_x, _y, _z, vertex) => (v[vertex]! > 0.86 ? 0 : 1 + (1 - v[vertex]!))),
    nostrils: near(2, nostrils),
    scalp: near(6, (_x, y, z, vertex) => {
      const hairline = Math.abs(theta[vertex]!) < 1.1 ? 0.27 : Math.abs(theta[vertex]!) < 2 ? 0.36 : 0.62;
      return v[vertex]! < hairline ? 0 : 1 + Math.hypot(y - 122, z);
    }),
    boundary: boundary.slice().sort(),
  };
}
