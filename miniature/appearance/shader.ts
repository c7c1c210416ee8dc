import type { FineSurface, PosedSurface } from '../head/fineSurface.js';
import type { Texture } from './textures.js';

/** Lights stand around the volume and do not move: x, y, z towards the light (unit), red, green, blue; a row each. */
const lights = Float64Array.of(
  ...[0.48, 0.6, 0.64, 0.55, 0.53, 0.5],
  ...[-0.77, 0.26, 0.583, 0.36, 0.38, 0.41],
  ...[0, 0.45, -0.893, 0.45, 0.45, 0.45],
);
/** What comes from all around, from above and from below. */
const sky = [0.44, 0.44, 0.46] as const;
const floor = [0.28, 0.26, 0.24] as const;
/** The inside of the neck is seen from below through its open end. */
const insideLight = 0.12;

/** Writes the linear-light RGB of the point of a face with the given weights of its first two corners. */
export type Shader = (face: number, weightA: number, weightB: number, colour: Float64Array) => void;

/**
 * Diffuse and glossy light on the textured surface, with interpolated normals. Called for millions of points: nothing is
 * allocated in it.
 *
 * @param eye camera centre, world mm.
 */
export function surfaceShader(
  { faces, chart, part }: FineSurface,
  { vertices, normals }: PosedSurface,
  textures: readonly Texture[],
  eye: readonly [number, number, number],
): Shader {
  const [eyeX, eyeY, eyeZ] = eye;
  const textured = new Float64Array(4);
  return (face, wa, wb, colour) => {
    const wc = 1 - wa - wb;
    const a = faces[3 * face]!;
    const b = faces[3 * face + 1]!;
    const c = faces[3 * face + 2]!;
    const [a3, b3, c3] = [3 * a, 3 * b, 3 * c];
    let nx = wa * normals[a3]! + wb * normals[b3]! + wc * normals[c3]!;
    let ny = wa * normals[a3 + 1]! + wb * normals[b3 + 1]! + wc * normals[c3 + 1]!;
    let nz = wa * normals[a3 + 2]! + wb * normals[b3 + 2]! + wc * normals[c3 + 2]!;
    const normalScale = 1 / (Math.sqrt(nx * nx + ny * ny + nz * nz) || 1);
    nx *= normalScale;
    ny *= normalScale;
    nz *= normalScale;
    let vx = eyeX - vertices[a3]!;
    let vy = eyeY - vertices[a3 + 1]!;
    let vz = eyeZ - vertices[a3 + 2]!;
    const inside = seenFromInside(vertices, a3, b3, c3, vx, vy, vz);
    const viewScale = 1 / Math.sqrt(vx * vx + vy * vy + vz * vz);
    vx *= viewScale;
    vy *= viewScale;
    vz *= viewScale;

    const x = wa * chart[2 * a]! + wb * chart[2 * b]! + wc * chart[2 * c]!;
    const y = wa * chart[2 * a + 1]! + wb * chart[2 * b + 1]! + wc * chart[2 * c + 1]!;
    lookUp(textures[part[a]!]!, x, y, textured);

    const up = (1 + ny) / 2;
    let red = floor[0] + (sky[0] - floor[0]) * up;
    let green = floor[1] + (sky[1] - floor[1]) * up;
    let blue = floor[2] + (sky[2] - floor[2]) * up;
    let gloss = 0;
    for (let light = 0; light < lights.length; light += 6) {
      const lx = lights[light]!;
      const ly = lights[light + 1]!;
      const lz = lights[light + 2]!;
      const facing = nx * lx + ny * ly + nz * lz;
      if (facing <= 0) continue;
      red += facing * lights[light + 3]!;
      green += facing * lights[light + 4]!;
      blue += facing * lights[light + 5]!;
      const hx = vx + lx;
      const hy = vy + ly;
      const hz = vz + lz;
      const half = (nx * hx + ny * hy + nz * hz) / Math.sqrt(hx * hx + hy * hy + hz * hz);
      if (half > 0.85) gloss += 0.35 * textured[3]! * half ** 40;
    }
    const shadow = inside ? insideLight : 1;
    colour[0] = shadow * (textured[0]! * red + gloss);
    colour[1] = shadow * (textured[1]! * green + gloss);
    colour[2] = shadow * (textured[2]! * blue + gloss);
  };
}

/** Whether a triangle, by offsets of its corners' coordinates, turns its back on the direction to the viewer. */
function seenFromInside(p: Float32Array, a: number, b: number, c: number, vx: number, vy: number, vz: number): boolean {
  const ux = p[b]! - p[a]!;
  const uy = p[b + 1]! - p[a + 1]!;
  const uz = p[b + 2]! - p[a + 2]!;
  const wx = p[c]! - p[a]!;
  const wy = p[c + 1]! - p[a + 1]!;
  const wz = p[c + 2]! - p[a + 2]!;
  return (uy * wz - uz * wy) * vx + (uz * wx - ux * wz) * vy + (ux * wy - uy * wx) * vz < 0;
}

/** Bilinear, clamped at the border. */
function lookUp({ size, texels }: Texture, x: number, y: number, textured: Float64Array): void {
  const limit = size - 1.001;
  const column = Math.min(limit, Math.max(0, ((x + 1) / 2) * size - 0.5));
  const row = Math.min(limit, Math.max(0, ((y + 1) / 2) * size - 0.5));
  const i = Math.floor(row);
  const j = Math.floor(column);
  const fi = row - i;
  const fj = column - j;
  const at = 4 * (i * size + j);
  const below = at + 4 * size;
  for (let channel = 0; channel < 4; channel++) {
    const upper = texels[at + channel]! * (1 - fj) + texels[at + 4 + channel]! * fj;
    const lower = texels[below + channel]! * (1 - fj) + texels[below + 4 + channel]! * fj;
    textured[channel] = upper * (1 - fi) + lower * fi;
  }
}
