import type { RgbImage } from '../formats/images/image.js';
import { glyphHeight, glyphOf, glyphWidth } from './glyphs.js';

/** RGB in [0, 255]. */
export type Colour = readonly [number, number, number];

/** A picture to draw on: lines, discs, words, other pictures. What lies outside is left out. */
export class Canvas implements RgbImage {
  readonly data: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
    background: Colour,
  ) {
    this.data = new Uint8Array(3 * width * height);
    for (let i = 0; i < this.data.length; i += 3) this.data.set(background, i);
  }

  /** @param opacity 0 leaves the pixel as it is. */
  blend(x: number, y: number, colour: Colour, opacity: number): void {
    if (!(x >= 0 && y >= 0 && x < this.width && y < this.height)) return;
    const at = 3 * (y * this.width + x);
    for (let channel = 0; channel < 3; channel++) {
      const old = this.data[at + channel]!;
      this.data[at + channel] = Math.round(old + opacity * (colour[channel]! - old));
    }
  }

  image(left: number, top: number, { width, height, data }: RgbImage): void {
    const columns = Math.min(width, this.width - left);
    for (let row = 0; row < height && top + row < this.height; row++) {
      const from = 3 * row * width;
      this.data.set(data.subarray(from, from + 3 * columns), 3 * ((top + row) * this.width + left));
    }
  }

  rectangle(left: number, top: number, width: number, height: number, colour: Colour, opacity = 1): void {
    for (let y = Math.round(top); y < Math.round(top + height); y++) {
      for (let x = Math.round(left); x < Math.round(left + width); x++) this.blend(x, y, colour, opacity);
    }
  }

  disc(x: number, y: number, radius: number, colour: Colour): void {
    for (let row = Math.floor(y - radius - 1); row <= y + radius + 1; row++) {
      for (let column = Math.floor(x - radius - 1); column <= x + radius + 1; column++) {
        const inside = radius + 0.5 - Math.hypot(column - x, row - y);
        if (inside > 0) this.blend(column, row, colour, Math.min(1, inside));
      }
    }
  }

  /** A smooth line of about a pixel's width. @param dash pixels of a stroke and of a gap; 0: unbroken. */
  line(x0: number, y0: number, x1: number, y1: number, colour: Colour, opacity = 1, dash = 0): void {
    const length = Math.hypot(x1 - x0, y1 - y0);
    // What reaches far beyond the picture, or is no number, would take for ever.
    if (!(length < 1e5)) return;
    const isSteep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
    const steps = Math.max(1, Math.ceil(isSteep ? Math.abs(y1 - y0) : Math.abs(x1 - x0)));
    for (let i = 0; i <= steps; i++) {
      if (dash > 0 && Math.floor(((i / steps) * length) / dash) % 2 === 1) continue;
      const x = x0 + ((x1 - x0) * i) / steps;
      const y = y0 + ((y1 - y0) * i) / steps;
      // Two pixels share what a point across the line's direction covers.
      const across = isSteep ? x : y;
      const first = Math.floor(across);
      for (const [place, share] of [
        [first, 1 - (across - first)],
        [first + 1, across - first],
      ] as const) {
        if (isSteep) this.blend(place, Math.round(y), colour, opacity * share);
        else this.blend(Math.round(x), place, colour, opacity * share);
      }
    }
  }

  /** Words, from their upper left corner. @param scale pixels a glyph's pixel. */
  text(left: number, top: number, words: string, colour: Colour, scale = 1): void {
    let x = Math.round(left);
    for (const character of words) {
      glyphOf(character).forEach((bits, column) => {
        for (let row = 0; row < glyphHeight; row++) {
          if ((bits >> row) & 1) {
            this.rectangle(x + column * scale, Math.round(top) + row * scale, scale, scale, colour);
          }
        }
      });
      x += (glyphWidth + 1) * scale;
    }
  }
}

/** Pixels that words take across. */
export function textWidth(words: string, scale = 1): number {
  return words.length * (glyphWidth + 1) * scale;
}
