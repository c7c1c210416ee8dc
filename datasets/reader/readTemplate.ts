import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Mesh } from '../../geometry/mesh.js';
import { FormatError } from '../formats/formatError.js';
import type { NpyArray } from '../formats/npy.js';
import { parseNpz } from '../formats/npz.js';
import { parseObj } from '../formats/obj.js';
import { textOf } from '../formats/text.js';
import { parsePly } from '../formats/ply.js';
import { meshInMillimetres } from './meshes.js';

/** Largest extents that a head's template can have. */
const plausibleMetres = [0.05, 5] as const;
const plausibleMillimetres = [50, 5000] as const;

/**
 * Reads the topology that predictions have: a mesh (`.obj`, `.ply`), or an `.npz` with an array of positions `(L, 3)` and
 * one of triangles `(F, 3)`, whatever their names.
 *
 * @returns in mm. Published templates are in metres; of a file in millimetres the size tells.
 * @throws FormatError for a file without faces, or of an impossible size.
 */
export async function readTemplate(path: string): Promise<Mesh> {
  const mesh = await readMesh(path);
  if (mesh.faces.length === 0) throw new FormatError({ file: path, expected: 'a mesh with faces', found: 'none' });
  const extent = largestExtent(mesh.vertices);
  const within = ([least, most]: readonly [number, number]): boolean => extent >= least && extent <= most;
  if (within(plausibleMillimetres)) return mesh;
  if (within(plausibleMetres)) return meshInMillimetres(mesh);
  throw new FormatError({ file: path, expected: 'a head in metres', found: `one of ${extent.toPrecision(3)}` });
}

async function readMesh(path: string): Promise<Mesh> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new FormatError({
      file: path,
      expected: 'a template',
      found: String(cause instanceof Error && cause.message),
    });
  });
  switch (extname(path).toLowerCase()) {
    case '.obj':
      return parseObj(textOf(bytes, path), path);
    case '.ply':
      return parsePly(bytes, path);
    case '.npz':
      return meshOfArrays(parseNpz(bytes, path), path);
    default:
      throw new FormatError({ file: path, expected: 'a template named .obj, .ply or .npz', found: 'another name' });
  }
}

/** The largest pair of arrays that fit each other as positions and triangles: a file may hold coarser levels, too. */
function meshOfArrays(arrays: ReadonlyMap<string, NpyArray>, file: string): Mesh {
  const rowsOfThree = [...arrays.values()]
    .filter(({ shape }) => shape.length === 2 && shape[1] === 3 && shape[0]! > 0)
    .sort((a, b) => b.shape[0]! - a.shape[0]!);
  const positions = rowsOfThree.filter(({ data }) => data instanceof Float32Array || data instanceof Float64Array);
  for (const { data } of rowsOfThree) {
    const faces = Array.from(data as ArrayLike<number | bigint>, Number);
    if (!faces.every((index) => Number.isSafeInteger(index) && index >= 0)) continue;
    const most = faces.reduce((largest, index) => Math.max(largest, index), 0);
    const fitting = positions.find((array) => array.data !== data && array.shape[0]! > most);
    if (fitting === undefined) continue;
    return { vertices: Float32Array.from(fitting.data as ArrayLike<number>), faces: Uint32Array.from(faces) };
  }
  const found = [...arrays].map(([name, { shape }]) => `${name} (${shape.join(', ')})`).join(', ') || 'no arrays';
  throw new FormatError({ file, expected: 'positions (L, 3) and triangles (F, 3) of a template', found });
}

function largestExtent(vertices: Float32Array): number {
  let largest = 0;
  for (let axis = 0; axis < 3; axis++) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < vertices.length; i += 3) {
      low = Math.min(low, vertices[i]!);
      high = Math.max(high, vertices[i]!);
    }
    largest = Math.max(largest, high - low);
  }
  return largest;
}
