import { FormatError, quoted } from '../formatError.js';

export type PlyEncoding = 'ascii' | 'binary_little_endian' | 'binary_big_endian';

/** A scalar type: how many bytes it takes in a binary file, and how they are read. */
export interface PlyType {
  readonly size: number;
  readonly integer: boolean;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
}

export interface PlyProperty {
  readonly name: string;
  /** Type of the value, or of each value of a list. */
  readonly type: PlyType;
  /** Type of a list's length; null for a single value. */
  readonly countType: PlyType | null;
}

export interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: readonly PlyProperty[];
}

export interface PlyHeader {
  readonly encoding: PlyEncoding;
  readonly elements: readonly PlyElement[];
  /** Where the data begin, bytes from the start. */
  readonly dataOffset: number;
  /** How many lines the header has. */
  readonly lines: number;
}

const int8: PlyType = { size: 1, integer: true, read: (view, offset) => view.getInt8(offset) };
const uint8: PlyType = { size: 1, integer: true, read: (view, offset) => view.getUint8(offset) };
const int16: PlyType = { size: 2, integer: true, read: (view, offset, little) => view.getInt16(offset, little) };
const uint16: PlyType = { size: 2, integer: true, read: (view, offset, little) => view.getUint16(offset, little) };
const int32: PlyType = { size: 4, integer: true, read: (view, offset, little) => view.getInt32(offset, little) };
const uint32: PlyType = { size: 4, integer: true, read: (view, offset, little) => view.getUint32(offset, little) };
const float32: PlyType = { size: 4, integer: false, read: (view, offset, little) => view.getFloat32(offset, little) };
const float64: PlyType = { size: 8, integer: false, read: (view, offset, little) => view.getFloat64(offset, little) };

/** Both families of names that writers use. */
const types: Readonly<Record<string, PlyType>> = {
  ...{ char: int8, uchar: uint8, short: int16, ushort: uint16, int: int32, uint: uint32, float: float32 },
  ...{ double: float64, int8, uint8, int16, uint16, int32, uint32, float32, float64 },
};

const largestHeader = 1 << 20;
const mostElements = 64;
const mostProperties = 1024;

/** The first line, behind a byte order mark that some editors write; some programs write capitals, or a blank behind it. */
const firstLine = /^(?:\u00ef\u00bb\u00bf)?ply[ \t]*(\r\n|\n|\r)/i;

/** Reads the header of a PLY file. @throws FormatError naming the line */
export function parsePlyHeader(bytes: Buffer, file: string): PlyHeader {
  const start = firstLine.exec(bytes.toString('latin1', 0, 64));
  if (start === null) {
    throw new FormatError({
      file,
      where: 'line 1',
      expected: '"ply"',
      found: bytes.length === 0 ? 'an empty file' : quoted(bytes.toString('latin1', 0, 20)),
    });
  }
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, largestHeader));
  // The line end of "end_header" is part of the header, and the same as the first one where it can be: what follows may be
  // binary data that looks like one.
  const end = new RegExp(`(^|\\n|\\r)end_header[ \\t]*(${start[1]}|\\r\\n|\\n|\\r)`).exec(text);
  if (!end) throw new FormatError({ file, expected: '"end_header"', found: 'none' });
  const lines = text.slice(0, end.index).split(/\r\n|\n|\r/);
  let encoding: PlyEncoding | undefined;
  const elements: { name: string; count: number; properties: PlyProperty[] }[] = [];
  lines.slice(1).forEach((line, index) => {
    const problem = (expected: string): FormatError =>
      new FormatError({ file, where: `line ${index + 2}`, expected, found: quoted(line) });
    const words = line.trim().split(/\s+/);
    if (words[0] === 'format') {
      encoding = encodingOf(words[1]);
      if (!encoding || words[2] !== '1.0') throw problem('format ascii, binary_little_endian or binary_big_endian 1.0');
    } else if (words[0] === 'element') {
      const count = Number(words[2]);
      if (words.length !== 3 || !/^\d+$/.test(words[2]!) || !Number.isSafeInteger(count)) {
        throw problem('"element NAME COUNT"');
      }
      if (elements.some(({ name }) => name === words[1])) throw problem('each element once');
      if (elements.length === mostElements) throw problem(`at most ${mostElements} elements`);
      elements.push({ name: words[1]!, count, properties: [] });
    } else if (words[0] === 'property') {
      const property = propertyOf(words);
      const element = elements.at(-1);
      if (!property || !element) throw problem('"property TYPE NAME" or "property list TYPE TYPE NAME" of an element');
      if (element.properties.length === mostProperties) throw problem(`at most ${mostProperties} properties`);
      element.properties.push(property);
    } else if (words[0] !== 'comment' && words[0] !== 'obj_info' && words[0] !== '') {
      throw problem('format, element, property, comment or end_header');
    }
  });
  if (!encoding) throw new FormatError({ file, expected: 'a "format" line', found: 'none' });
  return { encoding, elements, dataOffset: end.index + end[0].length, lines: lines.length + 1 };
}

function encodingOf(word: string | undefined): PlyEncoding | undefined {
  return word === 'ascii' || word === 'binary_little_endian' || word === 'binary_big_endian' ? word : undefined;
}

function propertyOf(words: readonly string[]): PlyProperty | null {
  const type = (word: string | undefined): PlyType | undefined =>
    word !== undefined && Object.hasOwn(types, word) ? types[word] : undefined;
  const list = words[1] === 'list';
  const valueType = type(list ? words[3] : words[1]);
  const countType = list ? type(words[2]) : null;
  const name = list ? words[4] : words[2];
  if (!valueType || countType === undefined || name === undefined || words.length !== (list ? 5 : 3)) return null;
  if (countType && !countType.integer) return null;
  return { name, type: valueType, countType };
}
