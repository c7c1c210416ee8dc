import { FormatError } from '../formats/formatError.js';
import { openImage } from '../formats/images/image.js';
import type { WorldFinding } from './types.js';

/** Of 255. An image has brighter and darker places than these. */
const black = 8;
const white = 247;
const flat = 3;

/**
 * Whether an image uses the range that its numbers have: not black, not white, not 12 bits in 16.
 *
 * @throws FormatError of an image that is none
 */
export async function imageRangeFindings(bytes: Uint8Array, file: string, camera: string): Promise<WorldFinding[]> {
  const { depth, least, most } = await range(bytes, file);
  const full = depth === 'ushort' ? 65_535 : 255;
  const finding = (found: string, expected: string, advice: string): WorldFinding[] => [
    { severity: 'error', part: 'image', file, found: `camera ${camera}: ${found}`, expected, advice },
  ];
  if (depth === 'ushort' && most > 0 && most < 16_384) {
    const bits = Math.ceil(Math.log2(most + 1));
    return finding(
      `16-bit values of which the largest is ${most}: these look like ${bits <= 10 ? 10 : bits <= 12 ? 12 : bits} bits in 16`,
      `values up to ${full}; images are read as the upper 8 of 16 bits`,
      'Store them as 8 bits, or shift the values up to 16 (without a factor, the networks would see black images).',
    );
  }
  const scale = 255 / full;
  const [darkest, brightest] = [least * scale, most * scale];
  const values = `values from ${least} to ${most} of ${full}`;
  if (brightest <= black) return finding(`black: ${values}`, 'a picture', 'Was the light on, and the lens cap off?');
  if (darkest >= white) return finding(`white: ${values}`, 'a picture', 'Shorten the exposure.');
  if (brightest - darkest <= flat) return finding(`one colour: ${values}`, 'a picture', 'Look at the file.');
  return [];
}

async function range(bytes: Uint8Array, file: string): Promise<{ depth: string; least: number; most: number }> {
  const image = await openImage(bytes, file);
  try {
    const { depth, hasAlpha } = await image.metadata();
    const { channels } = await image.stats();
    const colours = hasAlpha && channels.length > 1 ? channels.slice(0, -1) : channels;
    const least = Math.min(...colours.map(({ min }) => min));
    return { depth, least, most: Math.max(...colours.map(({ max }) => max)) };
  } catch (cause) {
    const found = `what cannot be decoded (${(cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!})`;
    throw new FormatError({ file, expected: 'an image', found });
  }
}
