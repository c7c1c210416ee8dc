import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { FormatError, listed } from '../formats/formatError.js';
import { isMeshSampler, readMeshSampler } from '../formats/meshes/meshSampler.js';
import { asFloat32 } from '../formats/numpy/npy.js';
import { openNpz, type Npz } from '../formats/numpy/npz.js';
import { parseObj } from '../formats/meshes/obj.js';
import { textOf } from '../formats/text.js';
import { parsePly } from '../formats/meshes/ply.js';
import { meshInMillimetres } from './meshes.js';

/** Largest extents that a head's template can have. */
const plausibleMetres = [0.05, 5] as const;
const plausibleMillimetres = [50, 5000] as const;

/**
 * Reads the topology that predictions have: a mesh (`.obj`, `.ply`), the `mesh_sampler.npz` of a published run, or another
 * `.npz` with an array of positions `(L, 3)` and one of triangles `(F, 3)`.
 *
 * @returns in mm. Published templates are in metres; a file in millimetres is recognised by its size.
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
    case '.npz': {
      const archive = openNpz(bytes, path);
      return isMeshSampler(archive) ? readMeshSampler(archive, path) : meshOfArrays(archive, path);
    }
    default:
      throw new FormatError({ file: path, expected: 'a template named .obj, .ply or .npz', found: 'another name' });
  }
}

/** Names that programs give to positions and triangles; any other pair must be the only one that fits. */
const usualNames = [
  ['v', 'f'],
  ['vertices', 'faces'],
  ['verts', 'faces'],
  ['points', 'faces'],
] as const;

/** Positions and triangles by their usual names, or the largest arrays that fit each other: coarser levels may lie beside. */
function meshOfArrays(archive: Npz, file: string): Mesh {
  const arrays = archive.names.map((name) => ({ name, ...archive.array(name) }));
  const problem = (found: string): FormatError =>
    new FormatError({ file, expected: 'positions (L, 3) and triangles (F, 3) of a template', found });
  const rowsOfThree = arrays
    .filter(({ shape }) => shape.length === 2 && shape[1] === 3 && shape[0]! > 0)
    .sort((a, b) => b.shape[0]! - a.shape[0]!);
  const usual = usualNames.find((names) => names.every((name) => rowsOfThree.some((array) => array.name === name)));
  const named = usual ? rowsOfThree.filter(({ name }) => (usual as readonly string[]).includes(name)) : rowsOfThree;
  const positions = named.filter(({ data }) => data instanceof Float32Array || data instanceof Float64Array);
  for (const triangles of named) {
    const faces = Array.from(triangles.data as ArrayLike<number | bigint>, Number);
    if (!faces.every((index) => Number.isSafeInteger(index) && index >= 0)) continue;
    const most = faces.reduce((largest, index) => Math.max(largest, index), 0);
    const fitting = positions.filter(({ data, shape }) => data !== triangles.data && shape[0]! > most);
    const [first, second] = fitting;
    if (first === undefined) continue;
    // Normals have the shape of positions, and would make a template, too.
    if (second !== undefined && second.shape[0] === first.shape[0]) {
      throw problem(
        `two arrays that may be the positions: ${listed(fitting.map(({ name }) => name))}; call them v and f`,
      );
    }
    return { vertices: asFloat32(first, file, { finite: true }), faces: Uint32Array.from(faces) };
  }
  throw problem(listed(arrays.map(({ name, shape }) => `${name} (${shape.join(', ')})`)));
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
