import assert from 'node:assert/strict';

/** A reader of event files that shares no code with their writer (its CRC works bit by bit). */
export interface ReadEvent {
  readonly step: number;
  readonly wallTime: number;
  readonly version?: string;
  readonly tag?: string;
  readonly scalar?: number;
  readonly picture?: { readonly height: number; readonly width: number; readonly png: Buffer };
}

type Field = { readonly number: number; readonly value: number | Buffer };

function crc(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  }
  return ~remainder >>> 0;
}

function masked(bytes: Uint8Array): number {
  const sum = BigInt(crc(bytes));
  return Number((((sum >> 15n) | (sum << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[offset++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (offset < bytes.length) {
    const tag = varint();
    const number = tag >> 3;
    const type = tag & 7;
    if (type === 0) found.push({ number, value: varint() });
    else if (type === 1) found.push({ number, value: bytes.readDoubleLE((offset += 8) - 8) });
    else if (type === 5) found.push({ number, value: bytes.readFloatLE((offset += 4) - 4) });
    else if (type === 2) {
      const length = varint();
      found.push({ number, value: bytes.subarray(offset, (offset += length)) });
    } else assert.fail(`wire type ${type}`);
  }
  return found;
}

const message = (list: Field[], number: number): Buffer | undefined =>
  list.find((field) => field.number === number)?.value as Buffer | undefined;
const scalar = (list: Field[], number: number): number | undefined =>
  list.find((field) => field.number === number)?.value as number | undefined;

export function readEvents(file: Uint8Array): ReadEvent[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const events: ReadEvent[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(offset));
    assert.equal(bytes.readUInt32LE(offset + 8), masked(bytes.subarray(offset, offset + 8)), 'checksum of the length');
    const content = bytes.subarray(offset + 12, offset + 12 + length);
    assert.equal(bytes.readUInt32LE(offset + 12 + length), masked(content), 'checksum of the content');
    offset += length + 16;
    const event = fields(content);
    const base = { wallTime: scalar(event, 1)!, step: scalar(event, 2) ?? 0 };
    const version = message(event, 3)?.toString();
    if (version !== undefined) events.push({ ...base, version });
    for (const summary of event.filter(({ number }) => number === 5)) {
      for (const { value } of fields(summary.value as Buffer)) {
        const parts = fields(value as Buffer);
        const tag = message(parts, 1)!.toString();
        // What the machine needed differs from one repetition to the next.
        if (tag.startsWith('Machine/')) continue;
        const image = message(parts, 4);
        const imageFields = image ? fields(image) : [];
        events.push({
          ...base,
          tag,
          ...(image
            ? {
                picture: {
                  height: scalar(imageFields, 1)!,
                  width: scalar(imageFields, 2)!,
                  png: message(imageFields, 4)!,
                },
              }
            : { scalar: scalar(parts, 2)! }),
        });
      }
    }
  }
  return events;
}
