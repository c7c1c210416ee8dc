import type { Mesh } from '../../../geometry/mesh/mesh.js';
import { FormatError, described } from '../formatError.js';
import { asFloat32, type NpyArray } from '../numpy/npy.js';
import { parseNpyObjects } from '../numpy/npyObjects.js';
import type { Npz } from '../numpy/npz.js';
import { NumpyArray } from '../pickle/numpyVocabulary.js';
import { instancesOf } from '../pickle/plainVocabulary.js';
import { sparseMatrixOf, sparseVocabulary } from '../pickle/sparseVocabulary.js';
import { PickleInstance } from '../pickle/values.js';
import { Faces } from './polygons.js';

const meshClass = 'psbody.mesh.mesh.Mesh';
const meshVocabulary = instancesOf((name) => name === meshClass);
const meshes = 'sampled_meshes';
const adjacencies = 'adj_matrices';

/** Whether an archive is the `mesh_sampler.npz` of a published run. */
export function isMeshSampler({ names }: Npz): boolean {
  return names.includes(meshes);
}

/**
 * The template of a published run: the first mesh of its `mesh_sampler.npz` (section 5 of the method), in the file's own
 * unit, which is mm. What else the file says of the first level must fit it.
 *
 * @throws FormatError naming file and member
 */
export function readMeshSampler(archive: Npz, file: string): Mesh {
  const place = `${file}:${meshes}.npy`;
  const [first] = parseNpyObjects(archive.member(meshes), place, [meshVocabulary, sparseVocabulary]);
  if (!(first instanceof PickleInstance) || first.name !== meshClass) {
    throw new FormatError({ file: place, where: 'first entry', expected: `a ${meshClass}`, found: described(first) });
  }
  const mesh = meshOf(first, place);
  const count = mesh.vertices.length / 3;
  if (archive.names.includes('vertices_per_level')) {
    const stated = Number(archive.array('vertices_per_level').data[0]);
    if (stated !== count) throw unequal(`${file}:vertices_per_level.npy`, count, stated);
  }
  if (archive.names.includes(adjacencies)) {
    const where = `${file}:${adjacencies}.npy`;
    const problem = (expected: string, found: string): FormatError => new FormatError({ file: where, expected, found });
    const [entry] = parseNpyObjects(archive.member(adjacencies), where, [sparseVocabulary]);
    const matrix = sparseMatrixOf(entry, problem);
    if (matrix === null) throw problem('a sparse matrix of scipy', described(entry));
    if (matrix.rows !== count || matrix.columns !== count) throw unequal(where, count, matrix.rows);
  }
  return mesh;
}

function meshOf(instance: PickleInstance, file: string): Mesh {
  const array = (name: string): NpyArray => {
    const value = instance.attribute(name);
    const problem = (expected: string, found: string): FormatError =>
      new FormatError({ file, where: `first mesh, ${name}`, expected, found });
    const numbers = value instanceof NumpyArray ? value.numbers(problem) : null;
    if (numbers === null) throw problem('an array of numbers', described(value));
    const [rows = 0, columns] = numbers.shape;
    if (numbers.shape.length === 2 && columns === 3 && rows > 0) return numbers;
    throw problem('rows of three', `shape (${numbers.shape.join(', ')})`);
  };
  const vertices = asFloat32(array('v'), `${file}, v of the first mesh`, { finite: true });
  const corners = Array.from(array('f').data as ArrayLike<number | bigint>, Number);
  const wrong = corners.find((corner) => !Number.isInteger(corner) || corner < 0);
  if (wrong !== undefined) {
    throw new FormatError({ file, where: 'first mesh, f', expected: 'numbers of vertices', found: `${wrong}` });
  }
  const faces = new Faces();
  for (let i = 0; i < corners.length; i += 3) faces.add(corners.slice(i, i + 3), i / 3);
  return { vertices, faces: faces.triangles(vertices, file, 'face', 0) };
}

function unequal(file: string, count: number, found: number): FormatError {
  return new FormatError({
    file,
    where: 'first entry',
    expected: `${count} vertices, as the mesh has`,
    found: `${found}`,
  });
}
