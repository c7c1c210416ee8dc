import type { Appearance } from '../head/identities.js';
import { bump, smoothStep } from '../head/interpolation.js';
import { valueNoise } from '../head/noise.js';
import { Layer, type TextureGround } from './textureGround.js';

/** A picture on a part's chart (a disc in the square [−1, 1]²): linear-light RGB and how glossy it is. */
export interface Texture {
  readonly size: number;
  /** `[size, size, 4]`: red, green, blue, gloss. */
  readonly texels: Float32Array;
}

/** Paints a subject's skin, cap and collar. */
export function paintSkin({ size, points, layers }: TextureGround, appearance: Appearance): Texture {
  const texels = new Float32Array(4 * size * size);
  const { noiseSeed: seed, skin, capBrightness } = appearance;
  for (let i = 0; i < size * size; i++) {
    const at = 4 * i;
    const layer = Layer.count * i;
    const x = points[3 * i]!;
    const y = points[3 * i + 1]!;
    const z = points[3 * i + 2]!;
    const cap = layers[layer + Layer.cap]!;
    const collar = layers[layer + Layer.collar]!;
    // A subject's own blotches and freckles, beside the marks that all have.
    const own = 1 + 0.06 * valueNoise(seed, x / 16, y / 16, z / 16);
    const zone = appearance.freckles * layers[layer + Layer.freckles]!;
    const freckle = zone > 0.05 ? zone * smoothStep(0.45, 0.6, valueNoise(seed + 9, x / 5, y / 5, z / 5)) : 0;
    for (let channel = 0; channel < 3; channel++) {
      let value = skin[channel]! * layers[layer + Layer.tint + channel]! * own * (1 - freckle * (0.3 + 0.08 * channel));
      value = mix(value, appearance.brows[channel]!, 0.9 * layers[layer + Layer.brows]!);
      value = mix(value, appearance.lips[channel]!, 0.85 * layers[layer + Layer.lips]!);
      value = mix(value, insideOfMouth[channel]!, 0.9 * layers[layer + Layer.mouthLine]!);
      const print =
        layers[layer + Layer.capBands]! + appearance.capSaturation * layers[layer + Layer.capChroma + channel]!;
      value = mix(value, capBrightness * print, cap);
      value = mix(value, capBrightness * layers[layer + Layer.collarPrint + channel]!, collar);
      texels[at + channel] = value;
    }
    texels[at + 3] = 0.25 * (1 - cap) * (1 - collar) + 0.25 * layers[layer + Layer.lips]!;
  }
  return { size, texels };
}

const insideOfMouth = [0.05, 0.015, 0.015] as const;
const sclera = [0.78, 0.76, 0.74] as const;
const corner = [0.7, 0.45, 0.42] as const;
const pupil = 0.02;

/** Sclera, iris, pupil; the chart's middle is the front pole. */
export function paintEyeball(size: number, appearance: Appearance): Texture {
  const texels = new Float32Array(4 * size * size);
  for (let i = 0; i < size * size; i++) {
    const a = (((i % size) + 0.5) / size) * 2 - 1;
    const b = ((Math.floor(i / size) + 0.5) / size) * 2 - 1;
    const polar = Math.PI * Math.min(1, Math.hypot(a, b));
    for (let channel = 0; channel < 3; channel++) {
      let value = mix(sclera[channel]!, corner[channel]!, smoothStep(0.7, 1.3, polar));
      value = mix(value, appearance.iris[channel]!, smoothStep(0.56, 0.5, polar));
      // The pupil, and the dark ring around the iris.
      value = mix(value, pupil, Math.min(1, smoothStep(0.25, 0.19, polar) + 0.6 * bump(polar - 0.53, 0.05)));
      texels[4 * i + channel] = value;
    }
    texels[4 * i + 3] = 1;
  }
  return { size, texels };
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
