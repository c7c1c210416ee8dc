import { counterRandom } from '../../geometry/random.js';
import { features, ear } from './headSurface.js';
import { Part, type HeadTemplate } from './headTemplate.js';
import { bump, bump2, smoothStep } from './interpolation.js';
import type { MiniatureSettings } from '../settings.js';

/** A displacement field over the mean head: mm at a point of it, for a coefficient of 1. */
type Field = (x: number, y: number, z: number) => readonly [number, number, number];

const left = (x: number): number => Math.sign(x);

/**
 * What tells heads apart: smooth, low-frequency shapes, each about a standard deviation of 1. People differ most in size
 * (children are among them) and in the skull's proportions, and less in each feature of the face.
 */
const shapeFields: Record<string, Field> = {
  size: (x, y, z) => [0.08 * x, 0.08 * (y + 20), 0.08 * (z + 10)],
  width: (x) => [0.05 * x, 0, 0],
  height: (_x, y) => [0, 0.042 * (y + 20), 0],
  depth: (_x, _y, z) => [0, 0, 0.05 * (z + 10)],
  jawWidth: (x, y) => [0.11 * x * smoothStep(10, -60, y) * smoothStep(-125, -95, y), 0, 0],
  chin: (x, y, z) => {
    const at = smoothStep(20, 60, z) * bump2(x, y, [0, -78], 45, 32);
    return [0, -5 * at, 4 * at];
  },
  nose: (x, y, z) => {
    const at = z < 40 ? 0 : bump2(x, y, [0, -6], 17, 22);
    return [0, -2 * at, 4.5 * at];
  },
  noseWidth: (x, y, z) => [z < 40 ? 0 : 0.16 * x * bump2(x, y, [0, -8], 24, 22), 0, 0],
  cheeks: (x, y, z) => {
    const at = smoothStep(-10, 40, z) * bump2(Math.abs(x), y, [48, -12], 26, 30);
    return [4 * left(x) * at, 0, 3 * at];
  },
  forehead: (_x, y, z) => [0, 0, 5 * smoothStep(0, 60, z) * bump(y - 72, 36)],
  skull: (_x, y, z) => [0, 3 * smoothStep(60, 110, y), -6 * smoothStep(0, -70, z) * bump(y - 30, 60)],
  ears: (x, y, z) => {
    const at = smoothStep(50, 75, Math.abs(x)) * bump2(y, z, [ear.middle[0], ear.middle[1] - 8], 36, 26);
    return [5 * left(x) * at, 0, -2 * at];
  },
  lips: (x, y, z) => {
    const at = z < 40 ? 0 : bump2(x, y, features.mouth, 32, 15);
    return [0.05 * x * at, 0, 3 * at];
  },
  eyeSpacing: (x, y, z) => [z < 30 ? 0 : 2.5 * left(x) * bump2(Math.abs(x), y, features.eye, 24, 20), 0, 0],
  neck: (x, y, z) => {
    const at = 0.09 * smoothStep(-80, -115, y);
    return [at * x, 0, at * (z + 20)];
  },
};

const shapeCount = Object.keys(shapeFields).length;

const splits = ['train', 'validation', 'test'] as const;

/** Of coefficients that are spread evenly: their standard deviation is 1. */
const largestCoefficient = Math.sqrt(3);

/** What a data set's people follow from. */
export type Population = Pick<MiniatureSettings, 'seed' | 'subjects'>;

/** How a head looks and is shaped; drawn once a subject. */
export interface Identity {
  readonly subject: string;
  /** Coefficients of the shape fields: standard deviation 1, within ±√3. */
  readonly shape: readonly number[];
  readonly appearance: Appearance;
}

export interface Appearance {
  /** Linear-light RGB. */
  readonly skin: readonly [number, number, number];
  readonly lips: readonly [number, number, number];
  readonly iris: readonly [number, number, number];
  readonly brows: readonly [number, number, number];
  /** How bright and how saturated the cap's colours are. */
  readonly capBrightness: number;
  readonly capSaturation: number;
  readonly freckles: number;
  /** Offsets of the subject's own noise. */
  readonly noiseSeed: number;
}

const skins = [
  [0.72, 0.46, 0.34],
  [0.62, 0.38, 0.26],
  [0.48, 0.27, 0.17],
  [0.35, 0.19, 0.11],
] as const;
const irises = [
  [0.1, 0.22, 0.45],
  [0.1, 0.28, 0.12],
  [0.2, 0.1, 0.04],
] as const;

/**
 * Coefficients of a subject. People are chosen to differ: each coefficient's range is cut into as many parts as the split
 * has subjects, and each part has one of them (a Latin hypercube). A few people drawn at random would be alike in one data
 * set and extreme in the next.
 */
function evenlySpread({ seed, subjects }: Population, index: number): number[] {
  let first = 0;
  const split = splits.find((name) => index < first + subjects[name] || ((first += subjects[name]), false));
  // Whoever is beyond the last split is one of the last.
  const count = subjects[split ?? 'test'];
  const own = counterRandom(seed, 'shape', index);
  return Array.from({ length: shapeCount }, (_, k) => {
    const order = Uint32Array.from({ length: count }, (_unused, i) => i);
    counterRandom(seed, 'people', split ?? 'test', k).shuffle(order);
    const place = (order[(index - first) % count]! + own.uniform()) / count;
    return largestCoefficient * (2 * place - 1);
  });
}

/** @param index the subject's number in the whole data set. */
export function drawIdentity(population: Population, subject: string, index: number): Identity {
  const random = counterRandom(population.seed, 'identity', index);
  const shape = evenlySpread(population, index);
  const tone = random.uniform() * (skins.length - 1);
  const lighter = skins[Math.floor(tone)]!;
  const darker = skins[Math.floor(tone) + 1]!;
  const mix = (channel: 0 | 1 | 2): number => lighter[channel] + (darker[channel] - lighter[channel]) * (tone % 1);
  const skin = [mix(0), mix(1), mix(2)] as const;
  const brow = 0.02 + 0.1 * random.uniform();
  return {
    subject,
    shape,
    appearance: {
      skin,
      lips: [skin[0] * (0.85 + 0.2 * random.uniform()), skin[1] * 0.42, skin[2] * 0.5],
      iris: irises[random.integer(irises.length)]!,
      brows: [brow, brow * 0.65, brow * 0.4],
      capBrightness: 0.9 + 0.2 * random.uniform(),
      capSaturation: 0.85 + 0.15 * random.uniform(),
      freckles: random.uniform(),
      noiseSeed: random.integer(1 << 30),
    },
  };
}

/**
 * The shape fields at the template's vertices, `[K][L, 3]` mm; an eyeball moves as a whole, by the field in front of it.
 */
export function shapeBases(template: HeadTemplate): Float32Array[] {
  return Object.values(shapeFields).map((field) => evaluateField(template, field));
}

/** A field at every vertex of the template. `[L, 3]` mm */
export function evaluateField(template: HeadTemplate, field: Field): Float32Array {
  const { vertices } = template.mesh;
  const [leftEye, rightEye] = template.eyeballCentres.map((c) => field(c[0]!, c[1]!, c[2]! + 12));
  const values = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    const part = template.part[i / 3];
    const value =
      part === Part.skin
        ? field(vertices[i]!, vertices[i + 1]!, vertices[i + 2]!)
        : part === Part.leftEyeball
          ? leftEye!
          : rightEye!;
    values.set(value, i);
  }
  return values;
}
