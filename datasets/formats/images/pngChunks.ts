const signature = '89504e470d0a1a0a';
/** Texts and colour profiles that are compressed: some kilobytes become gigabytes in the image library, and nothing of them is used. */
const compressedTypes = new Set(['zTXt', 'iTXt', 'iCCP']);

/**
 * A PNG file without its compressed texts and colour profiles. Other files, and what stands behind the first chunk that is
 * not whole, stay as they are.
 */
export function withoutCompressedTexts(bytes: Uint8Array): Uint8Array {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (png.toString('hex', 0, 8) !== signature) return bytes;
  const kept: Buffer[] = [];
  let from = 0;
  for (let at = 8; at + 12 <= png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    if (end > png.length) break;
    if (compressedTypes.has(png.toString('latin1', at + 4, at + 8))) {
      kept.push(png.subarray(from, at));
      from = end;
    }
    at = end;
  }
  return from === 0 ? bytes : Buffer.concat([...kept, png.subarray(from)]);
}
