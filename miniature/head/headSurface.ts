import { bump2, smoothStep, throughKnots } from './interpolation.js';

/**
 * The mean head as a smooth surface over two parameters, in mm: v from 0 (crown) to 1 (the neck's lower edge), θ around
 * the vertical axis from 0 (front) to ±π (back), positive towards the subject's left. Axes as FLAME has them: x to the
 * subject's left, y up, z to the front; the origin is inside the head, between the ears.
 */

/** v; height and depth of the front profile; height and depth of the back profile; half width. mm */
const profile = [
  [0.0, 122, -8, 122, -8, 0],
  [0.06, 119, 27, 119, -45, 32],
  [0.12, 110, 54, 108, -74, 54],
  [0.2, 93, 76, 88, -93, 69],
  [0.28, 72, 88, 64, -101, 75.5],
  [0.36, 48, 93, 38, -101, 77],
  [0.44, 25, 88, 14, -95, 74.5],
  [0.52, 3, 88, -8, -86, 71],
  [0.6, -20, 88, -28, -75, 67],
  [0.68, -42, 87, -46, -66, 61],
  [0.76, -67, 83, -62, -61, 54],
  [0.82, -86, 74, -76, -60, 50.5],
  [0.87, -93, 50, -88, -60, 50],
  [0.92, -101, 30, -101, -61, 52],
  [1.0, -136, 24, -124, -66, 58],
] as const;

/** Where the features sit, mm, in the mean head; the left one of a pair. */
export const features = {
  eye: [32, 25],
  eyeInnerCorner: [17, 24],
  eyeOuterCorner: [46, 25],
  brow: [31, 45],
  noseBridge: [0, 28],
  noseTip: [0, -8],
  noseWing: [14, -13],
  nostril: [7, -20],
  mouth: [0, -42],
  mouthCorner: [25, -42],
  upperLip: [0, -36],
  lowerLip: [0, -49],
  chin: [0, -72],
} as const;

/** Ears are found from the side: [height, depth] of the middle, the top and the lobe, mm. */
export const ear = { middle: [6, -14], top: [32, -20], lobe: [-20, -8] } as const;

export const eyeballRadius = 12;

const section = new Float64Array(5);

/** The surface without nose, ears, eyes and mouth. Writes `[x, y, z]` mm. */
function plainHeadPoint(v: number, theta: number, result: Float64Array): void {
  throughKnots(profile, v, section);
  const [yFront = 0, zFront = 0, yBack = 0, zBack = 0, halfWidth = 0] = section;
  const sine = Math.sin(theta);
  const cosine = Math.cos(theta);
  // The jaw is pointed at the front, the skull is not: a lower exponent of the cosine rounds less.
  const pointed = smoothStep(0.5, 0.8, v) * (1 - smoothStep(0.86, 0.95, v));
  const along = Math.sign(cosine) * Math.abs(cosine) ** (cosine > 0 ? 1 + 0.35 * pointed : 0.92);
  const toFront = (1 + cosine) / 2;
  result[0] = halfWidth * Math.sign(sine) * Math.abs(sine) ** (1 - 0.12 * smoothStep(0.1, 0.3, v));
  result[1] = yBack + (yFront - yBack) * toFront;
  result[2] = (zFront + zBack) / 2 + ((zFront - zBack) / 2) * along;
}

/** The whole head's surface. Writes `[x, y, z]` mm. */
export function headPoint(v: number, theta: number, result: Float64Array): void {
  plainHeadPoint(v, theta, result);
  const [x = 0, y = 0, z = 0] = result;
  if (z > 10) addFace(result, Math.abs(x), x, y);
  if (Math.abs(x) > 45) addEar(result, Math.abs(x), y, z);
}

/** Nose, brow, eye sockets, cheeks, lips, chin: shifts of the plain surface, given by its |x|, x and y. */
function addFace(point: Float64Array, side: number, x: number, y: number): void {
  let forward = 0;
  let outward = 0;
  let upward = 0;
  // The nose: a ridge that rises from the bridge to the tip, and ends steeply below it.
  const ridge = y > -8 ? smoothStep(40, -8, y) : smoothStep(-26, -8, y);
  const ridgeWidth = 7 + 4 * smoothStep(30, -12, y);
  forward += (3 * bump2(side, y, [0, 30], 8, 14) + 23 * ridge) * Math.exp(-((side / ridgeWidth) ** 2));
  upward -= 5 * bump2(side, y, [0, -14], 9, 9);
  forward += 6 * bump2(side, y, features.noseWing, 6, 7);
  outward += 2 * bump2(side, y, features.noseWing, 6, 7);
  forward -= 2 * bump2(side, y, features.nostril, 4, 4);
  // Brows, eyes, cheeks, temples.
  forward += 4 * bump2(side, y, features.brow, 20, 9);
  forward -= 5 * bump2(side, y, [30, 25], 16, 13);
  forward -= eyeSocketDepth(side, y);
  forward += 4 * bump2(side, y, [42, -5], 18, 16);
  outward += 3 * bump2(side, y, [44, -2], 16, 20);
  // Mouth and chin.
  forward += 5 * bump2(side, y, [0, -42], 30, 22);
  forward += 4.5 * bump2(side, y, [0, -36], 19, 4.5) + 5 * bump2(side, y, [0, -49], 16, 5);
  forward -= 3.5 * bump2(side, y, [0, -42], 24, 3);
  forward -= 3 * bump2(side, y, [0, -58], 18, 6);
  forward += 6 * bump2(side, y, features.chin, 17, 12);
  point[0]! += Math.sign(x) * outward;
  point[1]! += upward;
  point[2]! += forward;
}

/** How far the surface dips behind the eyeball's front, mm. */
function eyeSocketDepth(side: number, y: number): number {
  return 10 * bump2(side, y, features.eye, 9.5, 5.2);
}

/** A flap that stands off the side of the head and leans back, hollow inside. */
function addEar(point: Float64Array, side: number, y: number, z: number): void {
  const [middleY, middleZ] = ear.middle;
  // The ear's own axes: along it (leaning back towards its top) and across it.
  const along = (y - middleY - 0.2 * (z - middleZ)) / 30;
  const across = (z - middleZ + 0.2 * (y - middleY)) / 15;
  const radius = Math.hypot(along, across);
  if (radius > 1.6) return;
  const height = 19 * smoothStep(1.25, 0.7, radius) * (0.75 + 0.35 * smoothStep(0.6, -0.6, across));
  const hollow = 8 * bump2(along, across, [-0.05, 0.15], 0.45, 0.45);
  const sign = Math.sign(point[0]!);
  point[0]! += (sign * (height - hollow) * side) / Math.hypot(side, 20);
  point[2]! -= 0.55 * height;
}

/** Where the eyeballs' centres are, mm: `[left, right]`. */
export function eyeballCentres(): readonly [Float64Array, Float64Array] {
  const { v, theta } = locate(
    (p) => Math.hypot(p[0]! - features.eye[0], p[1]! - features.eye[1]) + (p[2]! < 0 ? 1e3 : 0),
  );
  const point = new Float64Array(3);
  headPoint(v, theta, point);
  const lid = point[2]! + eyeSocketDepth(features.eye[0], features.eye[1]);
  const z = lid - 1.5 - eyeballRadius;
  return [Float64Array.of(features.eye[0], features.eye[1], z), Float64Array.of(-features.eye[0], features.eye[1], z)];
}

/** Parameters of the surface's point where `cost` is least: a grid, then finer grids around its best. */
export function locate(cost: (point: Float64Array) => number): { v: number; theta: number } {
  const point = new Float64Array(3);
  let best = { v: 0.5, theta: 0, cost: Infinity };
  let [vStep, thetaStep] = [0.5, Math.PI];
  for (let level = 0; level < 6; level++) {
    const half = level === 0 ? 28 : 4;
    const centre = best;
    vStep /= half;
    thetaStep /= half;
    for (let i = -half; i <= half; i++) {
      const v = centre.v + i * vStep;
      if (v < 0 || v > 1) continue;
      for (let j = -half; j <= half; j++) {
        const theta = centre.theta + j * thetaStep;
        headPoint(v, theta, point);
        const value = cost(point);
        if (value < best.cost) best = { v, theta, cost: value };
      }
    }
  }
  return { v: best.v, theta: best.theta };
}
