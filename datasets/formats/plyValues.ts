import { FormatError, quoted } from './formatError.js';
import type { PlyHeader, PlyProperty, PlyType } from './plyHeader.js';

/** The numbers behind a PLY header, one after the other. */
export interface PlyValues {
  next(type: PlyType): number;
  /** A list: its length, then its values. */
  list(property: PlyProperty): number[];
  /** Bytes left in the file. */
  remaining(): number;
  /** The present place, for error messages. */
  where(): string;
}

/** Opens the values of a file in its encoding. Each call throws FormatError at the end of the file. */
export function plyValues(bytes: Buffer, header: PlyHeader, file: string): PlyValues {
  return header.encoding === 'ascii'
    ? new AsciiValues(bytes.toString('latin1', header.dataOffset), header.lines + 1, file)
    : new BinaryValues(bytes, header.dataOffset, header.encoding === 'binary_little_endian', file);
}

class BinaryValues implements PlyValues {
  private readonly view: DataView;

  constructor(
    bytes: Buffer,
    private offset: number,
    private readonly littleEndian: boolean,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  next(type: PlyType): number {
    this.need(type.size);
    const value = type.read(this.view, this.offset, this.littleEndian);
    this.offset += type.size;
    return value;
  }

  list({ countType, type }: PlyProperty): number[] {
    const count = countType ? this.next(countType) : 1;
    if (count < 0)
      throw new FormatError({ file: this.file, where: this.where(), expected: 'a list', found: `length ${count}` });
    this.need(count * type.size);
    return Array.from({ length: count }, () => this.next(type));
  }

  remaining(): number {
    return this.view.byteLength - this.offset;
  }

  where(): string {
    return `byte ${this.offset}`;
  }

  private need(size: number): void {
    if (size <= this.remaining()) return;
    throw new FormatError({
      file: this.file,
      where: this.where(),
      expected: `${size} more bytes`,
      found: `the end of the file after ${this.remaining()}`,
    });
  }
}

class AsciiValues implements PlyValues {
  private readonly words = /[^\s]+|\n|\r\n?/g;

  constructor(
    private readonly text: string,
    private line: number,
    private readonly file: string,
  ) {}

  next(type: PlyType): number {
    let match = this.words.exec(this.text);
    while (match && (match[0] === '\n' || match[0].startsWith('\r'))) {
      this.line++;
      match = this.words.exec(this.text);
    }
    if (!match) {
      this.words.lastIndex = this.text.length;
      throw new FormatError({
        file: this.file,
        where: this.where(),
        expected: 'a number',
        found: 'the end of the file',
      });
    }
    const value = Number(match[0]);
    if (Number.isNaN(value) || (type.integer && !Number.isInteger(value))) {
      throw new FormatError({
        file: this.file,
        where: this.where(),
        expected: type.integer ? 'a whole number' : 'a number',
        found: quoted(match[0]),
      });
    }
    return value;
  }

  list({ countType, type }: PlyProperty): number[] {
    const count = countType ? this.next(countType) : 1;
    // In text a value takes a blank and a digit.
    if (count < 0 || count * 2 > this.remaining()) {
      throw new FormatError({
        file: this.file,
        where: this.where(),
        expected: 'a list that the rest of the file can hold',
        found: `length ${count}`,
      });
    }
    return Array.from({ length: count }, () => this.next(type));
  }

  remaining(): number {
    return this.text.length - this.words.lastIndex;
  }

  where(): string {
    return `line ${this.line}`;
  }
}
