import { maskedCrc32c } from './crc32c.js';

/** What a segment of an event log holds, without the contents of its records. */
export interface SegmentContents {
  /** Records with something to show; the first of a file, which tells its version, is none. */
  readonly records: number;
  /** The largest step of these; null where there are none. */
  readonly lastStep: number | null;
}

/** Thrown for bytes that are no whole event file. */
export class SegmentDamaged extends Error {
  override readonly name = 'SegmentDamaged';
}

/** Field numbers of tensorflow/core/util/event.proto. */
const event = { step: 2, summary: 5 } as const;

/** @param file - its key, for messages. @throws SegmentDamaged saying at which byte. */
export function readSegment(file: Uint8Array, key: string): SegmentContents {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let records = 0;
  let lastStep: number | null = null;
  for (let offset = 0; offset < bytes.length;) {
    const damaged = (what: string): SegmentDamaged => new SegmentDamaged(`${key}, byte ${offset}: ${what}`);
    if (offset + 12 > bytes.length) throw damaged('the record ends early');
    const length = Number(bytes.readBigUInt64LE(offset));
    if (bytes.readUInt32LE(offset + 8) !== maskedCrc32c(bytes.subarray(offset, offset + 8))) {
      throw damaged("the record's length has another checksum");
    }
    if (offset + length + 16 > bytes.length) throw damaged('the record ends early');
    const content = bytes.subarray(offset + 12, offset + 12 + length);
    if (bytes.readUInt32LE(offset + 12 + length) !== maskedCrc32c(content)) {
      throw damaged('the record has another checksum');
    }
    const { step, isSummary } = readEvent(content, damaged);
    if (isSummary) {
      records++;
      lastStep = Math.max(lastStep ?? 0, step);
    }
    offset += length + 16;
  }
  return { records, lastStep };
}

/** Goes over the fields of an event (protocol buffers' wire format). */
function readEvent(content: Buffer, damaged: (what: string) => Error): { step: number; isSummary: boolean } {
  let step = 0;
  let isSummary = false;
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; offset < content.length; scale *= 128) {
      const byte = content[offset++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw damaged('a field ends early');
  };
  while (offset < content.length) {
    const tag = varint();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) {
      const value = varint();
      if (field === event.step) step = value;
    } else if (type === 1) offset += 8;
    else if (type === 5) offset += 4;
    else if (type === 2) {
      const length = varint();
      offset += length;
      if (field === event.summary) isSummary = true;
    } else throw damaged(`a field of wire type ${type}`);
  }
  if (offset > content.length) throw damaged('a field ends early');
  return { step, isSummary };
}
