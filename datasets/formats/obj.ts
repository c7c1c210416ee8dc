import { FormatError, linesOf, quoted } from './formatError.js';
import type { Mesh } from '../../geometry/mesh.js';
import { fanTriangles } from './polygons.js';

/**
 * Reads positions and faces of a Wavefront OBJ file; polygons become fans of triangles, normals and texture
 * coordinates are skipped. Face forms `v`, `v/vt`, `v//vn`, `v/vt/vn` and indices counted from the end are understood.
 * @throws FormatError naming the line
 */
export function parseObj(text: string, file: string): Mesh {
  const vertices: number[] = [];
  const faces: number[] = [];
  const lines = linesOf(text);
  let line = '';
  for (let number = 0; number < lines.length; number++) {
    // A backslash at the end continues a statement on the next line.
    line += lines[number]!;
    if (line.endsWith('\\')) {
      line = `${line.slice(0, -1)} `;
      continue;
    }
    const words = line.trim().split(/\s+/);
    line = '';
    const where = `line ${number + 1}`;
    if (words[0] === 'v') {
      const position = words.slice(1, 4).map(Number);
      if (position.length !== 3 || !position.every(Number.isFinite)) {
        throw new FormatError({ file, where, expected: 'a vertex "v x y z"', found: quoted(words.join(' ')) });
      }
      vertices.push(...position);
    } else if (words[0] === 'f') {
      const corners = words.slice(1).map((word) => cornerIndex(word, vertices.length / 3, file, where));
      if (corners.length < 3) {
        throw new FormatError({ file, where, expected: 'a face of 3 corners or more', found: quoted(words.join(' ')) });
      }
      fanTriangles(corners, faces);
    }
  }
  const count = vertices.length / 3;
  const beyond = faces.find((index) => index >= count);
  if (beyond !== undefined) {
    throw new FormatError({ file, expected: `faces of ${count} vertices`, found: `one with vertex ${beyond + 1}` });
  }
  if (count === 0) throw new FormatError({ file, expected: 'vertices ("v x y z")', found: 'none' });
  return { vertices: Float32Array.from(vertices), faces: Uint32Array.from(faces) };
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
