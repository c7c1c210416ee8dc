import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type OpenType from 'opentype.js';
import type { Font } from 'opentype.js';
import sharp from 'sharp';
import type { RgbImage } from '../formats/images/rgbImage.js';

/** RGB in [0, 255]. */
export type Colour = readonly [number, number, number];

/** A line that reaches further, or to no number, would take for ever. Pixels. */
const furthest = 1e5;

/** A picture within another: its upper left corner, whole numbers. */
interface Placed {
  readonly left: number;
  readonly top: number;
  readonly image: RgbImage;
}

/**
 * A picture of lines, discs, words and other pictures, drawn as SVG by sharp. Words are drawn as the outlines of a font that
 * comes with the packages: sharp's own text needs fonts of the machine, and shows boxes where there are none.
 */
export class Drawing {
  private readonly elements: string[] = [];
  private readonly images: Placed[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
    private readonly background: Colour,
  ) {}

  /** Below all that is drawn. */
  image(left: number, top: number, image: RgbImage): void {
    this.images.push({ left, top, image });
  }

  rectangle(left: number, top: number, width: number, height: number, colour: Colour, opacity = 1): void {
    const place = `x="${left}" y="${top}" width="${width}" height="${height}"`;
    this.elements.push(`<rect ${place} fill="${rgb(colour)}" opacity="${opacity}"/>`);
  }

  disc(x: number, y: number, radius: number, colour: Colour): void {
    if (isNear(x, y)) this.elements.push(`<circle cx="${x}" cy="${y}" r="${radius}" fill="${rgb(colour)}"/>`);
  }

  /** @param dash pixels of a stroke and of a gap; 0: unbroken. */
  line(x0: number, y0: number, x1: number, y1: number, colour: Colour, opacity = 1, dash = 0): void {
    if (!isNear(x0, y0) || !isNear(x1, y1)) return;
    const dashes = dash > 0 ? ` stroke-dasharray="${dash}"` : '';
    const stroke = `stroke="${rgb(colour)}" opacity="${opacity}"${dashes}`;
    this.elements.push(`<line x1="${x0}" y1="${y0}" x2="${x1}" y2="${y1}" ${stroke}/>`);
  }

  /** Pixels of one colour. @param places from the upper left corner, whole numbers. */
  dots(places: readonly (readonly [number, number])[], colour: Colour, opacity: number): void {
    const squares = places.map(([x, y]) => `M${x} ${y}h1v1h-1z`).join('');
    this.elements.push(`<path d="${squares}" fill="${rgb(colour)}" opacity="${opacity}"/>`);
  }

  /** Words, from their upper left corner. @param size of the font, pixels. */
  text(left: number, top: number, words: string, colour: Colour, size: number): void {
    if (!isNear(left, top)) return;
    let x = left;
    const letters = [...words].map((character) => {
      const place = `translate(${x.toFixed(2)} ${(top + size).toFixed(2)})`;
      x += advance(character, size);
      return `<path transform="${place}" d="${outline(character, size)}"/>`;
    });
    this.elements.push(`<g fill="${rgb(colour)}">${letters.join('')}</g>`);
  }

  png(): Promise<Buffer> {
    const size = `width="${this.width}" height="${this.height}"`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${this.elements.join('')}</svg>`;
    const base = Buffer.alloc(3 * this.width * this.height, Uint8Array.from(this.background));
    for (const each of this.images) this.paste(base, each);
    const raw = { width: this.width, height: this.height, channels: 3 as const };
    return sharp(base, { raw })
      .composite([{ input: Buffer.from(svg), left: 0, top: 0 }])
      .removeAlpha()
      .png()
      .toBuffer();
  }

  /** (As sharp's layers, images would take twice the time of all the rest: each is blended with the whole picture.) */
  private paste(base: Uint8Array, { left, top, image: { width, height, data } }: Placed): void {
    if (left < 0 || top < 0 || left + width > this.width || top + height > this.height) {
      throw new RangeError(
        `${width}×${height} pixels at ${left}, ${top} leave a picture of ${this.width}×${this.height}`,
      );
    }
    for (let row = 0; row < height; row++) {
      const pixels = data.subarray(3 * row * width, 3 * (row + 1) * width);
      base.set(pixels, 3 * ((top + row) * this.width + left));
    }
  }
}

/** Pixels that words take across. @param size of the font, pixels. */
export function textWidth(words: string, size: number): number {
  return [...words].reduce((sum, character) => sum + advance(character, size), 0);
}

let loaded: Font | undefined;

/** Parser and font are loaded for the first word: most processes that can draw write none. */
function font(): Font {
  if (loaded === undefined) {
    const name = '@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff';
    const require = createRequire(import.meta.url);
    const opentype = require('opentype.js') as typeof OpenType;
    const bytes = Uint8Array.from(readFileSync(require.resolve(name))).buffer;
    // Of 6,000 glyphs, those that are asked for are read.
    loaded = opentype.parse(bytes, { lowMemory: true });
  }
  return loaded;
}

/** By size and character: pictures of a run have the same words over and over. */
const outlines = new Map<string, string>();

/** A character on its base line, as a path of SVG. */
function outline(character: string, size: number): string {
  const key = `${size} ${character}`;
  const known = outlines.get(key) ?? font().charToGlyph(character).getPath(0, 0, size).toPathData(2);
  outlines.set(key, known);
  return known;
}

function advance(character: string, size: number): number {
  return ((font().charToGlyph(character).advanceWidth ?? 0) * size) / font().unitsPerEm;
}

function isNear(x: number, y: number): boolean {
  return Math.abs(x) < furthest && Math.abs(y) < furthest;
}

function rgb([r, g, b]: Colour): string {
  return `rgb(${r},${g},${b})`;
}
