/** The little of protocol buffers' wire format that events need. Each function but the last gives a field's bytes. */

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** A non-negative safe integer, seven bits a byte, low ones first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

const tag = (field: number, type: number): number[] => varint(field * 8 + type);

export function integerField(field: number, value: number): Buffer {
  return Buffer.from([...tag(field, wire.varint), ...varint(value)]);
}

export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([Buffer.from(tag(field, wire.fixed64)), bytes]);
}

export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([Buffer.from(tag(field, wire.fixed32)), bytes]);
}

export function bytesField(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([...tag(field, wire.bytes), ...varint(value.length)]), value]);
}

export function textField(field: number, value: string): Buffer {
  return bytesField(field, Buffer.from(value, 'utf8'));
}

/** A message within a message. */
export function messageField(field: number, ...fields: readonly Buffer[]): Buffer {
  return bytesField(field, Buffer.concat(fields));
}

/** A field as it was read: integers and what has a fixed width as numbers (of the latter the bytes), the rest as bytes. */
export interface ReadField {
  readonly field: number;
  readonly integer: number | null;
  /** A view of the message. */
  readonly bytes: Buffer;
}

/**
 * The fields of a message, in their order.
 *
 * @param damaged makes the error for bytes that are no message.
 */
export function* readFields(message: Buffer, damaged: (what: string) => Error): Generator<ReadField> {
  let offset = 0;
  const nextVarint = (): number => {
    let integer = 0;
    for (let scale = 1; offset < message.length; scale *= 128) {
      const byte = message[offset++]!;
      integer += (byte & 127) * scale;
      if (byte < 128) return integer;
    }
    throw damaged('a number ends early');
  };
  while (offset < message.length) {
    const key = nextVarint();
    const [field, type] = [Math.floor(key / 8), key % 8];
    if (type === wire.varint) {
      yield { field, integer: nextVarint(), bytes: message.subarray(0, 0) };
      continue;
    }
    const length = type === wire.fixed64 ? 8 : type === wire.fixed32 ? 4 : type === wire.bytes ? nextVarint() : null;
    if (length === null) throw damaged(`a field of wire type ${type}`);
    if (offset + length > message.length) throw damaged('a field ends early');
    yield { field, integer: null, bytes: message.subarray(offset, offset + length) };
    offset += length;
  }
}
