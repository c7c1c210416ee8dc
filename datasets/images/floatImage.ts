import type { Pixels } from '../types.js';
import { axisResampling, type AxisResampling } from './resampling.js';

/** Colours as numbers, usually in [0, 1]: `[height, width, 3]`, row by row from the top. */
export interface FloatImage {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** An image as it comes, of either kind. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  readonly data: Pixels;
}

/** The colour that each byte stands for: byte / 255. */
const colourOfByte = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Pixels as numbers. */
export function coloursOf(pixels: Pixels): Float32Array {
  if (pixels instanceof Float32Array) return pixels;
  const colours = new Float32Array(pixels.length);
  writeColours(pixels, colours);
  return colours;
}

/** Fills `colours` with pixels as numbers, from pixel value `offset` on. */
export function writeColours(pixels: Pixels, colours: Float32Array, offset = 0): void {
  if (pixels instanceof Float32Array) colours.set(pixels.subarray(offset, offset + colours.length));
  else for (let i = 0; i < colours.length; i++) colours[i] = colourOfByte[pixels[offset + i]!]!;
}

/** An image turned by 90° counter-clockwise (portrait to landscape). */
export function rotateImageCounterClockwise({ width, height, data }: PixelImage): PixelImage {
  const turned = data instanceof Float32Array ? new Float32Array(data.length) : new Uint8Array(data.length);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < height; column++) {
      const from = 3 * (column * width + width - 1 - row);
      const to = 3 * (row * height + column);
      turned[to] = data[from]!;
      turned[to + 1] = data[from + 1]!;
      turned[to + 2] = data[from + 2]!;
    }
  }
  return { width: height, height: width, data: turned };
}

/** Memory for the numbers of an image, taken anew only where more is wanted than before. */
class ImageMemory {
  private held = new Float32Array(0);

  /** @returns zeros, which count until the next call. */
  zeros(length: number): Float32Array {
    if (this.held.length < length) this.held = new Float32Array(length);
    return this.held.subarray(0, length).fill(0);
  }
}

const rowMemory = new ImageMemory();
const lineMemory = new ImageMemory();

/** Memory that a resized image is written to: the image counts until the next is. */
export class ResizedMemory extends ImageMemory {}

/**
 * An image at another size, anti-aliased (method 6; see resampling).
 *
 * @param memory of the result; left out: its own.
 */
export function resizeImage(image: PixelImage, width: number, height: number, memory?: ResizedMemory): FloatImage {
  const isAsLarge = image.width === width && image.height === height;
  if (isAsLarge && image.data instanceof Float32Array) return { width, height, data: image.data };
  const data = memory?.zeros(3 * width * height) ?? new Float32Array(3 * width * height);
  if (isAsLarge) {
    writeColours(image.data, data);
    return { width, height, data };
  }
  const across = resampleRows(image.data, image.height, image.width, axisResampling(image.width, width));
  resampleColumns(across, width, axisResampling(image.height, height), data);
  return { width, height, data };
}

/** @returns an array that counts until the next call. */
function resampleRows(pixels: Pixels, rows: number, inputs: number, axis: AxisResampling): Float32Array {
  const { outputs, taps, starts, weights } = axis;
  const result = rowMemory.zeros(rows * outputs * 3);
  const line = lineMemory.zeros(inputs * 3);
  for (let row = 0, to = 0; row < rows; row++) {
    writeColours(pixels, line, row * line.length);
    if (taps === 2) {
      // Bilinear interpolation alone: what augmentation does with every view.
      for (let i = 0; i < outputs; i++, to += 3) {
        const from = starts[i]! * 3;
        const weight = weights[2 * i]!;
        const other = weights[2 * i + 1]!;
        result[to] = weight * line[from]! + other * line[from + 3]!;
        result[to + 1] = weight * line[from + 1]! + other * line[from + 4]!;
        result[to + 2] = weight * line[from + 2]! + other * line[from + 5]!;
      }
      continue;
    }
    for (let i = 0; i < outputs; i++, to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let from = starts[i]! * 3;
      for (let tap = i * taps; tap < (i + 1) * taps; tap++, from += 3) {
        const weight = weights[tap]!;
        red += weight * line[from]!;
        green += weight * line[from + 1]!;
        blue += weight * line[from + 2]!;
      }
      result[to] = red;
      result[to + 1] = green;
      result[to + 2] = blue;
    }
  }
  return result;
}

/** @param result zeros, which it adds to. */
function resampleColumns(data: Float32Array, width: number, axis: AxisResampling, result: Float32Array): void {
  const { outputs, taps, starts, weights } = axis;
  const stride = width * 3;
  for (let i = 0; i < outputs; i++) {
    const to = i * stride;
    // Two rows at a time: bilinear interpolation alone has no more.
    for (let tap = 0; tap < taps; tap += 2) {
      const first = (starts[i]! + tap) * stride;
      const second = tap + 1 < taps ? first + stride : first;
      const weight = weights[i * taps + tap]!;
      const other = tap + 1 < taps ? weights[i * taps + tap + 1]! : 0;
      if (weight === 0 && other === 0) continue;
      for (let k = 0; k < stride; k++) result[to + k]! += weight * data[first + k]! + other * data[second + k]!;
    }
  }
}
