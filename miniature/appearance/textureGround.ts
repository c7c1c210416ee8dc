import { ear, features, headPoint } from '../head/headSurface.js';
import { bump, bump2, smoothStep } from '../head/interpolation.js';
import { valueNoise } from '../head/noise.js';

/**
 * What all subjects' skins have in common, on the skin's chart: where the features are, and marks by which a place on the
 * head is recognised (smooth patches of tint on the skin, a print on the cap). All of it hangs on the mean head's points,
 * so that it follows the vertices.
 */
export interface TextureGround {
  readonly size: number;
  /** Points of the mean head, mm. `[size, size, 3]` */
  readonly points: Float32Array;
  /** `[size, size, Layer.count]` */
  readonly layers: Float32Array;
}

/** What a texel's layers are. */
export const Layer = {
  /** Factors of the skin's red, green, blue. */
  tint: 0,
  /** Shares of lips, brows, the dark line between the lips, cap, collar, freckles. */
  lips: 3,
  brows: 4,
  mouthLine: 5,
  cap: 6,
  collar: 7,
  freckles: 8,
  /** The cap's print: brightness, and what full saturation adds to red, green, blue. */
  capBands: 9,
  capChroma: 10,
  collarPrint: 13,
  count: 16,
} as const;

export function textureGround(size: number): TextureGround {
  const points = new Float32Array(3 * size * size);
  const layers = new Float32Array(Layer.count * size * size);
  const point = new Float64Array(3);
  const texel = new Float64Array(Layer.count);
  for (let i = 0; i < size * size; i++) {
    const a = (((i % size) + 0.5) / size) * 2 - 1;
    const b = ((Math.floor(i / size) + 0.5) / size) * 2 - 1;
    const v = Math.min(1, Math.hypot(a, b));
    const theta = Math.atan2(b, a);
    headPoint(v, theta, point);
    points.set(point, 3 * i);
    fillTexel(texel, point[0]!, point[1]!, point[2]!, v, theta);
    layers.set(texel, Layer.count * i);
  }
  return { size, points, layers };
}

function fillTexel(texel: Float64Array, x: number, y: number, z: number, v: number, theta: number): void {
  texel.fill(0);
  texel[Layer.cap] = capCoverage(theta, y) * (v < 0.9 ? 1 : 0);
  texel[Layer.collar] = smoothStep(0.95, 0.965, v);
  fillSkinTint(texel, x, y, z);
  fillPrints(texel, x, y, z, v, theta);
  const front = smoothStep(10, 40, z);
  if (front === 0) return;
  const side = Math.abs(x);
  // Brows follow a slight arch.
  const arch = 45 - ((side - 30) / 18) ** 2 * 4;
  texel[Layer.brows] =
    front * Math.exp(-(((y - arch) / 4.2) ** 4)) * smoothStep(9, 14, side) * smoothStep(52, 44, side);
  texel[Layer.lips] = lipCoverage(x, y, z);
  texel[Layer.mouthLine] = front * bump(y - features.mouth[1], 2.2) * smoothStep(27, 22, side);
  texel[Layer.freckles] = front * bump2(side, y, [22, 2], 40, 26);
}

/** Patches, warm cheeks, nose and ears, a paler forehead, shade where light does not reach. */
function fillSkinTint(texel: Float64Array, x: number, y: number, z: number): void {
  const front = smoothStep(10, 40, z);
  const side = Math.abs(x);
  for (let channel = 0; channel < 3; channel++) {
    const broad = 0.45 * valueNoise(101 + channel, x / 48, y / 48, z / 48);
    texel[Layer.tint + channel] = 1 + broad + 0.2 * valueNoise(7 + channel, x / 20, y / 20, z / 20);
  }
  const tint = (share: number, red: number, green: number, blue: number): void => {
    texel[Layer.tint]! *= 1 + share * red;
    texel[Layer.tint + 1]! *= 1 + share * green;
    texel[Layer.tint + 2]! *= 1 + share * blue;
  };
  const atEar = smoothStep(55, 75, side);
  tint(atEar * bump2(y, z, [ear.middle[0], ear.middle[1] - 8], 40, 28), 0.25, -0.3, -0.3);
  tint(atEar * bump2(y, z, [ear.middle[0], ear.middle[1] - 4], 16, 8), -0.5, -0.5, -0.5);
  tint(smoothStep(-84, -100, y), -0.35, -0.35, -0.3);
  if (front === 0) return;
  tint(front * bump2(side, y, [40, -14], 18, 16), 0.2, -0.25, -0.2);
  tint(front * bump2(side, y, [0, -10], 13, 13), 0.15, -0.2, -0.18);
  tint(front * bump(y - 66, 16), 0.12, 0.1, -0.1);
  tint(front * bump2(x, y, [0, -78], 40, 20), -0.25, -0.15, 0.05);
  tint(front * bump2(side, y, features.nostril, 4.5, 3.5), -0.8, -0.85, -0.85);
  // A dark rim around the eye's opening, dark red inside the socket.
  const eye = Math.hypot((side - features.eye[0]) / 15.5, (y - features.eye[1]) / 8.5);
  tint(front * smoothStep(1.9, 1, eye), -0.35, -0.4, -0.3);
  tint(front * smoothStep(1.15, 0.85, eye), -0.75, -0.85, -0.8);
}

function lipCoverage(x: number, y: number, z: number): number {
  if (z < 40) return 0;
  const half = Math.max(0, 1 - (x / 27) ** 2);
  const top = features.mouth[1] + 9 * half ** 0.8 - 1.5 * bump(x, 5);
  const bottom = features.mouth[1] - 11 * half ** 0.7;
  const between = smoothStep(top + 1.5, top - 1.5, y) * smoothStep(bottom - 1.5, bottom + 1.5, y);
  return between * smoothStep(28, 25, Math.abs(x));
}

/** The cap reaches down to the hairline, behind the ears, to the nape. */
function capCoverage(theta: number, y: number): number {
  const around = Math.abs(theta);
  const hem = 74 - 52 * smoothStep(0.5, 1.45, around) - 62 * smoothStep(1.75, 2.5, around);
  return smoothStep(hem - 2, hem + 2, y);
}

/** The cap's hue goes around with θ and its brightness in bands with v: it tells any place. The collar's hue does too. */
function fillPrints(texel: Float64Array, x: number, y: number, z: number, v: number, theta: number): void {
  const phase = theta + 0.35 * valueNoise(31, x / 30, y / 30, z / 30);
  const bands = 0.8 + 0.3 * Math.cos(2 * Math.PI * (v / 0.16)) + 0.15 * valueNoise(32, x / 14, y / 14, z / 14);
  texel[Layer.capBands] = 0.32 * bands;
  for (let channel = 0; channel < 3; channel++) {
    const shift = (channel * 2 * Math.PI) / 3;
    texel[Layer.capChroma + channel] = 0.32 * bands * 0.85 * smoothStep(0.02, 0.14, v) * Math.cos(phase - shift);
    texel[Layer.collarPrint + channel] = 0.2 * (1 + 0.7 * Math.cos(2 * theta - 1 - shift));
  }
}
