import { FormatError, quoted, withoutByteOrderMark } from '../formatError.js';
import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { Faces } from './polygons.js';
import { decimal } from '../text.js';

/** Statements without positions or faces: appearance, names, groups, lines and points. */
const passedOver = new Set(
  'vt vn vp l p o g s mg usemtl mtllib usemap maplib lod bevel c_interp d_interp shadow_obj trace_obj'.split(' '),
);

/**
 * Reads positions and faces of a Wavefront OBJ file; polygons become triangles, normals and texture coordinates are
 * skipped. Face forms `v`, `v/vt`, `v//vn`, `v/vt/vn` and indices counted from the end are understood, and a weight of 1
 * or a colour behind a position.
 * @throws FormatError naming the line: for what is no statement, and for surfaces that are no polygons
 */
export function parseObj(text: string, file: string): Mesh {
  const vertices: number[] = [];
  const faces = new Faces();
  for (const { line, words, joined } of statements(text)) {
    const [keyword, ...values] = words;
    const where = `line ${line}`;
    const problem = (expected: string): FormatError =>
      new FormatError({ file, where, expected, found: quoted(words.join(' ')) });
    if (keyword === 'v') {
      const numbers = values.map(decimal);
      // x y z, then a weight (1), a colour, or both.
      const isPosition = [3, 4, 6, 7].includes(numbers.length) && numbers.every(isFloat);
      if (!isPosition) throw problem('a vertex "v x y z"');
      if (numbers.length % 3 === 1 && numbers[3] !== 1) throw problem('a weight of 1 behind x, y and z');
      vertices.push(numbers[0]!, numbers[1]!, numbers[2]!);
    } else if (keyword === 'f') {
      const corners = values.map((word) => cornerIndex(word, vertices.length / 3, file, where));
      if (corners.length < 3) throw problem('a face of 3 corners or more');
      faces.add(corners, line);
    } else if (!passedOver.has(keyword!)) {
      throw problem('a statement of polygons, such as "v x y z" or "f 1 2 3"');
    } else if (joined.some((word) => word === 'v' || word === 'f')) {
      throw problem('a name that does not end in a backslash, which joins the next line to it');
    }
  }
  if (vertices.length === 0) throw new FormatError({ file, expected: 'vertices ("v x y z")', found: 'none' });
  const positions = Float32Array.from(vertices);
  return { vertices: positions, faces: faces.triangles(positions, file, 'line', 1) };
}

interface Statement {
  /** On which it ends. */
  readonly line: number;
  readonly words: readonly string[];
  /** The first word of each further line that a backslash joined to it. */
  readonly joined: readonly string[];
}

/** A backslash at the end of a line continues its statement on the next. */
function* statements(text: string): Generator<Statement> {
  let words: string[] = [];
  let joined: string[] = [];
  let line = 0;
  for (const raw of withoutByteOrderMark(text).split(/\r\n|\n|\r/)) {
    line++;
    // A comment ends with its line, also where its last character is a backslash.
    const comment = raw.indexOf('#');
    const content = comment < 0 ? raw : raw.slice(0, comment);
    const isContinued = content.endsWith('\\') && comment < 0;
    const found = (isContinued ? content.slice(0, -1) : content).split(/\s+/).filter((word) => word !== '');
    if (words.length > 0 && found.length > 0) joined.push(found[0]!);
    for (const word of found) words.push(word);
    if (isContinued) continue;
    if (words.length > 0) yield { line, words, joined };
    words = [];
    joined = [];
  }
  if (words.length > 0) yield { line, words, joined };
}

function isFloat(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

/** Writes a mesh as OBJ, with the digits that a float32 needs. */
export function formatObj(mesh: Mesh): string {
  const lines: string[] = [];
  for (let i = 0; i < mesh.vertices.length; i += 3) {
    lines.push(`v ${digits(mesh.vertices[i]!)} ${digits(mesh.vertices[i + 1]!)} ${digits(mesh.vertices[i + 2]!)}`);
  }
  for (let i = 0; i < mesh.faces.length; i += 3) {
    lines.push(`f ${mesh.faces[i]! + 1} ${mesh.faces[i + 1]! + 1} ${mesh.faces[i + 2]! + 1}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Nine significant digits name every float32 exactly. */
function digits(value: number): string {
  return String(Number(value.toPrecision(9)));
}

/** Zero-based index of a face's corner; what it counts from is the file for positive numbers, the last vertex for negative ones. */
function cornerIndex(word: string, count: number, file: string, where: string): number {
  const match = /^(-?\d+)(\/(-?\d+)?(\/(-?\d+)?)?)?$/.exec(word);
  const value = match ? Number(match[1]) : 0;
  const index = value < 0 ? count + value : value - 1;
  if (index >= 0 && Number.isSafeInteger(index)) return index;
  throw new FormatError({ file, where, expected: 'corners like 7, 7/1, 7//3 or 7/1/3', found: quoted(word) });
}
