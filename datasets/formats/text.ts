import { FormatError } from './formatError.js';

/** A mesh of ten million vertices; a text of more than half a gigabyte cannot be held as one. */
const largestText = 1 << 28;

/**
 * The text of a file in UTF-8; bytes that are none become replacement characters.
 * @throws FormatError for UTF-16, as some Windows programs write, and beyond 256 MiB
 */
export function textOf(bytes: Uint8Array, file: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  requireTextSize(buffer.length, file);
  const start = buffer.subarray(0, 2).toString('hex');
  if (start === 'fffe' || start === 'feff') {
    throw new FormatError({ file, where: 'byte 0', expected: 'text in UTF-8', found: 'UTF-16: save it as UTF-8' });
  }
  return buffer.toString('utf8');
}

/** @throws FormatError for more bytes of text than can be held as one. */
export function requireTextSize(size: number, file: string): void {
  if (size <= largestText) return;
  throw new FormatError({ file, expected: `at most ${largestText} bytes of text`, found: `${size}` });
}

/** A number as meshes and calibrations write it; NaN for anything else, also for 0x1F, which `Number` takes. */
export function decimal(word: string): number {
  const second = word.charCodeAt(1) | 0x20;
  // 0x…, 0o…, 0b…
  if (word.charCodeAt(0) === 0x30 && (second === 0x78 || second === 0x6f || second === 0x62)) return NaN;
  return word === '' ? NaN : Number(word);
}
