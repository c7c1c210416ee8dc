import { FormatError, listed } from './formats/formatError.js';
import type { NpyArray } from './formats/numpy/npy.js';
import { openNpz } from './formats/numpy/npz.js';

/** The template's regions (method 4) under their names in the masks file. */
export const regionNames = [
  'face',
  'left_ear',
  'right_ear',
  'left_eyeball',
  'right_eyeball',
  'left_eye_region',
  'right_eye_region',
  'lips',
  'neck',
  'nostrils',
  'scalp',
  'boundary',
] as const;

/** A region of the face. */
export type RegionName = (typeof regionNames)[number];

/** Vertex indices by region. Regions overlap. */
export type VertexRegions = Readonly<Record<RegionName, ArrayLike<number>>>;

/**
 * Reads the masks file of a template: an `.npz` with an array a region, of vertex indices or of false and true a vertex.
 * Other arrays in it are not looked at.
 * @throws FormatError naming the region that is missing, empty, leaves the template or names a vertex twice
 */
export function readVertexRegions(bytes: Uint8Array, file: string, vertexCount: number): VertexRegions {
  const arrays = openNpz(bytes, file);
  const region = (name: RegionName): Uint32Array => {
    if (!arrays.names.includes(name)) {
      throw new FormatError({ file, expected: `an array ${name} of vertex indices`, found: listed(arrays.names, 20) });
    }
    const array = arrays.array(name);
    const indices = array.isBoolean
      ? trueEntries(array, name, file, vertexCount)
      : asIndices(array, name, file, vertexCount);
    if (indices.length > 0) return indices;
    throw new FormatError({ file, where: name, expected: 'vertices of the region', found: 'none' });
  };
  return Object.fromEntries(regionNames.map((name) => [name, region(name)])) as unknown as VertexRegions;
}

/** The vertices of a mask. */
function trueEntries({ data, shape }: NpyArray, name: string, file: string, vertexCount: number): Uint32Array {
  if (shape.length !== 1 || shape[0] !== vertexCount) {
    const expected = `false or true for each of the template's ${vertexCount} vertices`;
    throw new FormatError({ file, where: name, expected, found: `a mask of shape (${shape.join(', ')})` });
  }
  const vertices: number[] = [];
  for (let vertex = 0; vertex < vertexCount; vertex++) if (data[vertex] === 1) vertices.push(vertex);
  return Uint32Array.from(vertices);
}

function asIndices({ data, shape }: NpyArray, name: string, file: string, vertexCount: number): Uint32Array {
  if (shape.filter((side) => side !== 1).length > 1) {
    throw new FormatError({ file, where: name, expected: 'a list of vertices', found: `shape (${shape.join(', ')})` });
  }
  const seen = new Uint8Array(vertexCount);
  return Uint32Array.from(data as ArrayLike<number | bigint>, (value, i) => {
    const vertex = Number(value);
    const problem = (expected: string): FormatError =>
      new FormatError({ file, where: `${name}, entry ${i}`, expected, found: String(value) });
    if (!(Number.isInteger(vertex) && vertex >= 0 && vertex < vertexCount)) {
      throw problem(`a vertex below ${vertexCount}`);
    }
    if (seen[vertex] === 1) throw problem('each vertex once (a mask must be of type bool)');
    seen[vertex] = 1;
    return vertex;
  });
}
