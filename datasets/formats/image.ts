import sharp from 'sharp';
import { FormatError } from './formatError.js';
import { decodeSmallPng } from './png.js';

/** An 8-bit colour image: `[height, width, 3]`, row by row from the top. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** No camera delivers more; a file that declares it would fill the memory. */
const largestPixelCount = 1 << 28;
/** Bytes of decoded pixels up to which decoding by ourselves is quicker. */
const largestOwn = 1 << 17;

/**
 * Decodes an image (PNG, JPEG, TIFF, …) to 8-bit RGB, large ones off the calling thread. The stored values are taken as they are:
 * colour profiles and orientation tags are ignored, transparency is dropped, grey values are repeated, 16 bits are cut to 8.
 * @param bytes - the whole file
 * @param file - its path, for error messages
 * @throws FormatError if it is no image, or cut short
 */
export async function decodeImage(bytes: Uint8Array, file: string): Promise<RgbImage> {
  const small = decodeSmallPng(bytes, largestOwn);
  if (small !== null) return small;
  try {
    const { data, info } = await sharp(bytes, {
      failOn: 'warning',
      ignoreIcc: true,
      limitInputPixels: largestPixelCount,
    })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: info.channels === 3 ? data : greyToRgb(data) };
  } catch (cause) {
    throw new FormatError({
      file,
      expected: 'an image',
      found: bytes.length === 0 ? 'an empty file' : `what cannot be decoded (${firstLine(cause)})`,
    });
  }
}

/** Width and height of an image, from its header alone. */
export async function imageSize(bytes: Uint8Array, file: string): Promise<{ width: number; height: number }> {
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: largestPixelCount }).metadata();
    return { width, height };
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
