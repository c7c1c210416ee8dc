import { FormatError, quoted } from '../formatError.js';
import type { PlyHeader, PlyProperty, PlyType } from './plyHeader.js';
import { decimal, requireTextSize } from '../text.js';

/** The numbers behind a PLY header, row by row. */
export interface PlyValues {
  next(type: PlyType): number;
  /** A list: its length, then its values. */
  list(property: PlyProperty): number[];
  /** Ends a row: in text it must be a line's end. */
  endRow(): void;
  /** Ends the file: nothing may be left over. */
  endFile(): void;
  /** Bytes left in the file. */
  remaining(): number;
  /** The present place, for error messages. */
  where(): string;
}

/** Opens the values of a file in its encoding. Each call throws FormatError at the end of the file. */
export function plyValues(bytes: Buffer, header: PlyHeader, file: string): PlyValues {
  if (header.encoding === 'ascii') requireTextSize(bytes.length, file);
  return header.encoding === 'ascii'
    ? new AsciiValues(bytes.toString('latin1', header.dataOffset), header.lines, file)
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

  endRow(): void {
    // Rows follow one another.
  }

  endFile(): void {
    const left = this.remaining();
    if (left === 0) return;
    const found = `${left} bytes more: the rows may have more values than the header declares`;
    throw new FormatError({ file: this.file, where: this.where(), expected: 'the end of the file', found });
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
  private offset = 0;
  /** The present row, and how many of its values were taken. */
  private words: readonly string[] = [];
  private taken = 0;
  private isInRow = false;

  /** @param line the number of lines before `text`. */
  constructor(
    private readonly text: string,
    private line: number,
    private readonly file: string,
  ) {}

  next(type: PlyType): number {
    if (!this.isInRow && !this.nextLine()) throw this.problem('a number', 'the end of the file');
    const word = this.words[this.taken];
    if (word === undefined) {
      const isLast = this.text.slice(this.offset).trim() === '';
      throw this.problem('a number', `the end of the ${isLast ? 'file' : `line after ${this.taken} values`}`);
    }
    this.taken++;
    const value = decimal(word);
    if (Number.isNaN(value) || (type.integer && !Number.isInteger(value))) {
      throw this.problem(type.integer ? 'a whole number' : 'a number', quoted(word));
    }
    return value;
  }

  list({ countType, type }: PlyProperty): number[] {
    const count = countType ? this.next(countType) : 1;
    if (count < 0 || count > this.words.length - this.taken) {
      throw this.problem('a list that the rest of the line can hold', `length ${count}`);
    }
    return Array.from({ length: count }, () => this.next(type));
  }

  endRow(): void {
    if (this.isInRow && this.taken < this.words.length) {
      throw this.problem(`${this.taken} values in a row, as the header declares`, `${this.words.length}`);
    }
    this.isInRow = false;
  }

  endFile(): void {
    if (this.nextLine()) throw this.problem('the end of the file', quoted(this.words.join(' ')));
  }

  remaining(): number {
    return this.text.length - this.offset;
  }

  where(): string {
    return `line ${this.line}`;
  }

  /** Goes to the next line that is not blank. @returns false where there is none. */
  private nextLine(): boolean {
    const { text } = this;
    while (this.offset < text.length) {
      let end = this.offset;
      while (end < text.length && text.charCodeAt(end) !== 10 && text.charCodeAt(end) !== 13) end++;
      const words = text.slice(this.offset, end).trim();
      this.line++;
      this.offset = end + (text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10 ? 2 : 1);
      if (words === '') continue;
      this.words = words.split(/\s+/);
      this.taken = 0;
      this.isInRow = true;
      return true;
    }
    return false;
  }

  private problem(expected: string, found: string): FormatError {
    return new FormatError({ file: this.file, where: this.where(), expected, found });
  }
}
