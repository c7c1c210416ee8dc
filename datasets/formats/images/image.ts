import sharp, { type Sharp } from 'sharp';
import { FormatError, quoted } from '../formatError.js';
import { decodeSmallPng } from './png.js';
import { withoutCompressedTexts } from './pngChunks.js';
import type { RgbImage } from './rgbImage.js';

/** Pixels: no camera delivers more; a file that declares it would fill the memory. */
const largestPixelCount = 1 << 28;
/** Pixels that a file may declare for each of its bytes, and a small one: flat areas take next to no bytes. */
const pixelsOfByte = 32;
const leastPixelCount = 1 << 24;
/** Seconds. Some files of some kilobytes take minutes. */
const longestDecoding = 20;
/** Bytes of decoded pixels up to which decoding by ourselves is quicker. */
const largestOwn = 1 << 17;

/**
 * Decodes an image to 8-bit RGB, large ones off the calling thread: PNG, JPEG, TIFF or WebP, as its first bytes tell. The
 * stored values are taken as they are: colour profiles and orientation tags are ignored, transparency is dropped, grey
 * values are repeated, 16 bits are cut to 8.
 * @param bytes the whole file
 * @param file its path, for error messages
 * @param mostPixels more are refused before they are decoded
 * @throws FormatError if it is no image, or cut short, or declares more pixels than it may hold
 */
export async function decodeImage(bytes: Uint8Array, file: string, mostPixels = Infinity): Promise<RgbImage> {
  requirePhotograph(bytes, file);
  const small = decodeSmallPng(bytes, largestOwn);
  if (small !== null) return small;
  const image = await openImage(bytes, file, mostPixels);
  return refusing(file, async () => {
    const { data, info } = await image
      .timeout({ seconds: longestDecoding })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: info.channels === 3 ? data : greyToRgb(data) };
  });
}

/**
 * A photograph, opened by the image library, with nothing decoded yet; what would take long or fill the memory is refused.
 *
 * @param mostPixels more are refused
 * @throws FormatError
 */
export async function openImage(bytes: Uint8Array, file: string, mostPixels = Infinity): Promise<Sharp> {
  const { width, height } = await imageSize(bytes, file);
  const most = Math.min(mostPixels, largestPixelCount, Math.max(leastPixelCount, pixelsOfByte * bytes.length));
  if (width * height > most) {
    const expected = `an image of at most ${most} pixels (its file has ${bytes.length} bytes)`;
    throw new FormatError({ file, expected, found: `${width} × ${height} declared` });
  }
  const options = { failOn: 'warning', ignoreIcc: true, limitInputPixels: largestPixelCount } as const;
  return sharp(withoutCompressedTexts(bytes), options);
}

/** Width and height of an image, from its header alone. @throws FormatError */
export async function imageSize(bytes: Uint8Array, file: string): Promise<{ width: number; height: number }> {
  requirePhotograph(bytes, file);
  return refusing(file, async () => {
    const { width, height } = await sharp(withoutCompressedTexts(bytes), {
      limitInputPixels: largestPixelCount,
    }).metadata();
    return { width, height };
  });
}

/** How the files of cameras begin. */
const beginnings: readonly RegExp[] = [/^\x89PNG\r\n.\n/, /^\xff\xd8\xff/, /^(?:II[*+]\0|MM\0[*+])/, /^RIFF[^]{4}WEBP/];

/** The image library reads drawings and pages, too, which may refer to other files and take any time. */
function requirePhotograph(bytes: Uint8Array, file: string): void {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('latin1');
  if (beginnings.some((beginning) => beginning.test(start))) return;
  const found = start === '' ? 'an empty file' : `a file that begins with ${quoted(start)}`;
  throw new FormatError({ file, where: 'byte 0', expected: 'an image (PNG, JPEG, TIFF or WebP)', found });
}

async function refusing<T>(file: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    throw new FormatError({ file, expected: 'an image', found: `what cannot be decoded (${firstLine(cause)})` });
  }
}

/** Encodes 8-bit RGB as PNG, losslessly, off the main thread. */
export async function encodePng(image: RgbImage, options: { compressionLevel?: number } = {}): Promise<Buffer> {
  const { width, height, data } = image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: options.compressionLevel ?? 6 })
    .toBuffer();
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let pixel = 0; pixel < grey.length; pixel++) rgb.fill(grey[pixel]!, pixel * 3, pixel * 3 + 3);
  return rgb;
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!;
}
