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
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    return length > 0 ? BigInt.asIntN(length * 8, value) : 0n;
  }

  /** The bytes themselves, not a copy. */
  take(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    return new TextDecoder().decode(this.take(length));
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
