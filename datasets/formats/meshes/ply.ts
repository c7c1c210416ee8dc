import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { FormatError, listed } from '../formatError.js';
import { parsePlyHeader, type PlyElement, type PlyEncoding, type PlyHeader, type PlyProperty } from './plyHeader.js';
import { Faces } from './polygons.js';
import { plyValues, type PlyValues } from './plyValues.js';

/**
 * Reads a mesh, or a point cloud (no faces), from a PLY file: ascii or binary of either byte order. Polygons and strips
 * become triangles; further elements, properties and lists are skipped, but not what may be a surface of another kind.
 * @param bytes the whole file
 * @param file its path, for error messages
 * @returns positions in the file's own unit
 * @throws FormatError naming the line or byte, also for what is left over; declared counts that the file cannot hold
 *   allocate nothing
 */
export function parsePly(bytes: Uint8Array, file: string): Mesh {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = parsePlyHeader(buffer, file);
  const values = plyValues(buffer, header, file);
  let vertices: Float32Array | undefined;
  const faces = new Faces();
  for (const element of header.elements) {
    checkFits(element, header, values, file);
    if (element.name === 'vertex') vertices = readVertices(element, values, file);
    else if (element.name === 'face' || element.name === 'tristrips') readFaces(element, values, file, faces);
    else skip(element, values, file);
  }
  values.endFile();
  if (!vertices) throw new FormatError({ file, expected: 'an element "vertex"', found: names(header.elements) });
  return { vertices, faces: faces.triangles(vertices, file, 'face', 0) };
}

/** Writes positions (as float32) and triangles, in the order and types of the published registrations. */
export function formatPly(mesh: Mesh, encoding: PlyEncoding = 'binary_little_endian'): Buffer {
  const { vertices, faces } = mesh;
  const lines = [
    'ply',
    `format ${encoding} 1.0`,
    `element vertex ${vertices.length / 3}`,
    'property float x',
    'property float y',
    'property float z',
    `element face ${faces.length / 3}`,
    'property list uchar int vertex_indices',
    'end_header',
    '',
  ];
  if (encoding === 'ascii') {
    const rows: string[] = [];
    for (let i = 0; i < vertices.length; i += 3) {
      rows.push(Array.from(vertices.subarray(i, i + 3), (value) => String(Number(value.toPrecision(9)))).join(' '));
    }
    for (let i = 0; i < faces.length; i += 3) rows.push(`3 ${faces[i]!} ${faces[i + 1]!} ${faces[i + 2]!}`);
    return Buffer.from(`${lines.join('\n')}${rows.join('\n')}\n`, 'latin1');
  }
  const little = encoding === 'binary_little_endian';
  const header = Buffer.from(lines.join('\n'), 'latin1');
  const body = Buffer.alloc(vertices.length * 4 + (faces.length / 3) * 13);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let offset = 0;
  for (const value of vertices) {
    view.setFloat32(offset, value, little);
    offset += 4;
  }
  faces.forEach((index, position) => {
    if (position % 3 === 0) view.setUint8(offset++, 3);
    view.setInt32(offset, index, little);
    offset += 4;
  });
  return Buffer.concat([header, body]);
}

/** A declared count that the rest of the file cannot hold is refused before anything is allocated for it. */
function checkFits(element: PlyElement, header: PlyHeader, values: PlyValues, file: string): void {
  const ascii = header.encoding === 'ascii';
  // In text a value takes a digit and a separator; the very last one may stand without.
  const leastRow = element.properties.reduce(
    (sum, { type, countType }) => sum + (ascii ? 2 : (countType ?? type).size),
    0,
  );
  const least = element.count * leastRow - (ascii ? 1 : 0);
  if (leastRow > 0 && least > values.remaining()) {
    throw new FormatError({
      file,
      where: values.where(),
      expected: `${element.count} × "${element.name}" (at least ${least} bytes)`,
      found: `${values.remaining()} bytes until the end of the file`,
    });
  }
}

function readVertices(element: PlyElement, values: PlyValues, file: string): Float32Array {
  const axes = element.properties.map(({ name, countType }) => (countType ? -1 : ['x', 'y', 'z'].indexOf(name)));
  if (![0, 1, 2].every((axis) => axes.filter((found) => found === axis).length === 1)) {
    throw new FormatError({ file, expected: 'vertices with x, y and z', found: names(element.properties) });
  }
  const vertices = new Float32Array(element.count * 3);
  for (let vertex = 0; vertex < element.count; vertex++) {
    element.properties.forEach((property, position) => {
      const axis = axes[position]!;
      if (axis < 0) {
        skipProperty(property, values);
        return;
      }
      const value = values.next(property.type);
      if (!Number.isFinite(Math.fround(value))) {
        throw new FormatError({
          file,
          where: `vertex ${vertex}, ${values.where()}`,
          expected: 'a finite coordinate',
          found: `${value}`,
        });
      }
      vertices[vertex * 3 + axis] = value;
    });
    values.endRow();
  }
  return vertices;
}

function isCorners({ name, countType, type }: PlyProperty): boolean {
  return countType !== null && type.integer && (name === 'vertex_indices' || name === 'vertex_index');
}

function readFaces(element: PlyElement, values: PlyValues, file: string, faces: Faces): void {
  const isStrip = element.name === 'tristrips';
  if (element.properties.filter(isCorners).length !== 1) {
    throw new FormatError({ file, expected: 'faces with one list "vertex_indices"', found: names(element.properties) });
  }
  for (let face = 0; face < element.count; face++) {
    for (const property of element.properties) {
      if (!isCorners(property)) {
        skipProperty(property, values);
        continue;
      }
      const corners = values.list(property);
      if (corners.length < (isStrip ? 0 : 3) || !corners.every((index) => index >= (isStrip ? -1 : 0))) {
        throw new FormatError({
          file,
          where: `${isStrip ? 'strip' : 'face'} ${face}, ${values.where()}`,
          expected: isStrip ? 'corners of 0 or above, or -1' : '3 corners or more, all 0 or above',
          found: `[${corners.slice(0, 8).join(', ')}]`,
        });
      }
      if (isStrip) faces.addStrip(corners, face);
      else faces.add(corners, face);
    }
    values.endRow();
  }
}

/** Passes over an element. @throws FormatError where it joins vertices in a way that is not read: a surface would be lost. */
function skip(element: PlyElement, values: PlyValues, file: string): void {
  if (element.count > 0 && element.properties.some(isCorners)) {
    const found = `vertices joined by ${names([element])}, which is not read: export it as triangles`;
    throw new FormatError({ file, expected: 'surfaces as "face" or "tristrips"', found });
  }
  if (element.properties.length === 0) return;
  for (let row = 0; row < element.count; row++) {
    for (const property of element.properties) skipProperty(property, values);
    values.endRow();
  }
}

function skipProperty(property: PlyProperty, values: PlyValues): void {
  if (property.countType) values.list(property);
  else values.next(property.type);
}

function names(items: readonly { readonly name: string }[]): string {
  return listed(items.map(({ name }) => name));
}
