import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../../configs/packageRoot.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { isMeshSampler, readMeshSampler } from '../../../datasets/formats/meshes/meshSampler.js';
import { parseNpyObjects } from '../../../datasets/formats/numpy/npyObjects.js';
import { openNpz } from '../../../datasets/formats/numpy/npz.js';
import {
  sparseMatrixOf,
  sparseVocabulary,
  type SparseMatrix,
} from '../../../datasets/formats/pickle/sparseVocabulary.js';
import { openZip, writeZip } from '../../../datasets/formats/archives/zip.js';
import { readTemplate } from '../../../datasets/reader/readTemplate.js';
import { goldenFaces, goldenPath } from '../../support/golden/golden.js';

// Written by makeMeshSampler.py beside them, with NumPy and SciPy themselves.
const pathOf = (name: string): string => join(packageRoot, 'test/datasets/reader', name);
const ofGolden = pathOf('mesh_sampler.npz');
const ofTetrahedron = pathOf('mesh_sampler_numpy2.npz');

/** The archive with the bytes of one member changed. */
function changed(path: string, member: string, change: (bytes: Buffer) => Buffer): Buffer {
  const zip = openZip(readFileSync(path), path);
  return writeZip(
    zip.names.map((name) => ({ name, bytes: name === member ? change(zip.read(name)) : zip.read(name) })),
  );
}

const replaced = (from: string, to: string) => (bytes: Buffer) =>
  Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');

function refuses(bytes: Buffer, message: RegExp): void {
  assert.throws(
    () => readMeshSampler(openNpz(bytes, 'mesh_sampler.npz'), 'mesh_sampler.npz'),
    (error: unknown) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

test('the template of a published run is the first mesh of its mesh_sampler.npz, in mm', async () => {
  assert.ok(isMeshSampler(openNpz(readFileSync(ofGolden), 'x')));
  const mesh = await readTemplate(ofGolden);
  assert.deepEqual(mesh.faces, goldenFaces());
  const obj = await readTemplate(goldenPath('data/template.obj'));
  assert.ok(mesh.vertices.every((value, i) => Math.abs(value - obj.vertices[i]!) < 1e-4));
  const small = await readTemplate(ofTetrahedron);
  assert.deepEqual([...small.vertices], [0, 0, 0, 100, 0, 0, 0, 100, 0, 0, 0, 100]);
  assert.deepEqual([...small.faces], [0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3]);
});

describe('sparse matrices of scipy', () => {
  const read = (path: string, name: string): SparseMatrix[] => {
    const problem = (expected: string, found: string): Error => new Error(`${expected}, ${found}`);
    return parseNpyObjects(openNpz(readFileSync(path), path).member(name), path, [sparseVocabulary]).map((object) => {
      const matrix = sparseMatrixOf(object, problem);
      assert.ok(matrix);
      return matrix;
    });
  };
  const entries = ({ row, column, values }: SparseMatrix): string[] =>
    Array.from(row, (r, i) => `${r} ${column[i]} ${values.data[i]}`).sort();

  test('sparse matrices of scipy: by columns, by rows and as coordinates: the same entries', () => {
    for (const path of [ofGolden, ofTetrahedron]) {
      const [columns, rows] = read(path, 'adj_matrices');
      assert.deepEqual(entries(columns!), entries(rows!));
      assert.ok(
        columns!.row.every((row, i) => row !== columns!.column[i]),
        'no vertex is its own neighbour',
      );
      const [down, up] = [read(path, 'trafos_down')[0]!, read(path, 'trafos_up')[0]!];
      assert.deepEqual(entries(down), entries(up));
      assert.deepEqual([...down.row], [...down.column]);
      assert.equal(down.row.length, down.rows);
    }
    assert.equal(read(ofTetrahedron, 'adj_matrices')[0]!.row.length, 12);
  });
});

test('nothing else is built from it, and what does not fit is refused by member', () => {
  const [meshes, adjacency, levels] = ['sampled_meshes.npy', 'adj_matrices.npy', 'vertices_per_level.npy'] as const;
  const other = replaced('cpsbody.mesh.mesh\nMesh\n', 'cposix_.mesh.mesh\nMesh\n');
  refuses(
    changed(ofGolden, meshes, other),
    /sampled_meshes\.npy, pickle from byte 128, byte \d+.*"posix_\.mesh\.mesh\.Mesh".*not read/,
  );
  const sparse = replaced('cscipy.sparse._csc\ncsc_matrix\n', 'cscipy.sparse._csx\ncsc_matrix\n');
  refuses(changed(ofGolden, adjacency, sparse), /adj_matrices\.npy.*"scipy\.sparse\._csx\.csc_matrix".*not read/);
  refuses(
    changed(ofGolden, meshes, replaced('cpsbody.mesh.mesh\nMesh\n', 'cargparse\nNamespace\n')),
    /expected a psbody\.mesh/,
  );
  const fewer = (bytes: Buffer): Buffer => Buffer.concat([bytes.subarray(0, -16), Buffer.alloc(16, 1)]);
  refuses(changed(ofGolden, levels, fewer), /vertices_per_level\.npy, first entry: expected 642 vertices/);
  refuses(
    changed(ofGolden, meshes, (bytes) => bytes.subarray(0, -100)),
    /sampled_meshes\.npy.*found the end/,
  );
});
