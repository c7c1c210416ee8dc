import { isUtf8 } from 'node:buffer';

/** The state of a random number generator has 16 bytes; converting takes quadratic time. */
const longestInteger = 256;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads numbers and text from bytes in order; every read is checked against the end. */
export class ByteCursor {
  offset = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly problem: (expected: string, found: string) => Error,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  unsigned8(): number {
    return this.view.getUint8(this.advance(1));
  }

  unsigned16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  unsigned32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  signed32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  unsigned64(): number {
    return Number(this.view.getBigUint64(this.advance(8), true));
  }

  float64BigEndian(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** A two's complement integer of so many bytes, little-endian. */
  signedInteger(length: number): bigint {
    if (length > longestInteger) {
      throw this.problem(`a whole number of at most ${longestInteger} bytes`, `one of ${length}`);
    }
    if (length === 0) return 0n;
    const digits = Buffer.from(this.take(length)).reverse().toString('hex');
    return BigInt.asIntN(length * 8, BigInt(`0x${digits}`));
  }

  /** The bytes themselves, not a copy. */
  take(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Text in UTF-8. */
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.problem('text in UTF-8', 'other bytes');
    }
  }

  /** Text of Python 2, whose encoding is not stated: UTF-8 where it can be. */
  oldText(length: number): string {
    const bytes = Buffer.from(this.take(length));
    return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  }

  /** Text up to a line feed, which is consumed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.offset);
    if (end < 0) throw this.problem('a line', 'no line feed');
    const text = this.text(end - this.offset);
    this.offset++;
    return text;
  }

  private advance(length: number): number {
    const start = this.offset;
    if (length < 0 || start + length > this.bytes.length) {
      throw this.problem(`${length} more bytes`, `the end after ${this.bytes.length - start}`);
    }
    this.offset = start + length;
    return start;
  }
}
