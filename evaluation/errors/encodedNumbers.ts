/** Numbers as base64 of their doubles, little-endian: each comes back with all its bits. */
export function encodeNumbers(numbers: ArrayLike<number>): string {
  const bytes = Buffer.alloc(8 * numbers.length);
  for (let i = 0; i < numbers.length; i++) bytes.writeDoubleLE(numbers[i]!, 8 * i);
  return bytes.toString('base64');
}

/** @throws RangeError for what is no whole number of doubles */
export function decodeNumbers(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 8 !== 0) throw new RangeError(`${bytes.length} bytes; expected doubles, of 8 each`);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));
}

/** Whole numbers, mostly small, as base64 of seven binary digits a byte: the highest bit says that another byte follows. */
export function encodeWholes(numbers: readonly number[]): string {
  const bytes: number[] = [];
  for (const number of numbers) {
    let left = number;
    while (left >= 128) {
      bytes.push((left % 128) + 128);
      left = Math.floor(left / 128);
    }
    bytes.push(left);
  }
  return Buffer.from(bytes).toString('base64');
}

/** @throws RangeError where the last number has no end */
export function decodeWholes(text: string): number[] {
  const numbers: number[] = [];
  let [number, scale] = [0, 1];
  for (const byte of Buffer.from(text, 'base64')) {
    number += (byte % 128) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    numbers.push(number);
    [number, scale] = [0, 1];
  }
  if (scale > 1) throw new RangeError('the last number has no end');
  return numbers;
}
