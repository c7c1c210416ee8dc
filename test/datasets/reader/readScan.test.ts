import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { formatNpy } from '../../../datasets/formats/numpy/npy.js';
import { formatObj } from '../../../datasets/formats/meshes/obj.js';
import { formatPly } from '../../../datasets/formats/meshes/ply.js';
import { framePath } from '../../../datasets/layout.js';
import { openDirectorySource } from '../../../datasets/reader/datasetDirectory.js';
import { readScan } from '../../../datasets/reader/readScan.js';
import { copiedFolder, goldenDataset, goldenFrames } from './goldenFolder.js';

/** A square of 100 mm a side in the plane z = 7, of a large and a small triangle pair. */
const square = {
  vertices: Float32Array.of(0, 0, 7, 100, 0, 7, 100, 100, 7, 0, 100, 7, 10, 0, 7, 10, 100, 7),
  faces: Uint32Array.of(0, 4, 5, 0, 5, 3, 4, 1, 2, 4, 2, 5),
};

describe('scans', () => {
  test('a mesh in place of points is sampled by area, the same way each time, whatever its format', () => {
    const points = readScan({ bytes: formatPly(square), file: 'scan.ply' });
    assert.equal(points.length, 300_000);
    let narrow = 0;
    for (let i = 0; i < points.length; i += 3) {
      assert.ok(points[i]! >= 0 && points[i]! <= 100 && points[i + 1]! >= 0 && points[i + 1]! <= 100);
      assert.equal(points[i + 2], 7);
      if (points[i]! < 10) narrow++;
    }
    // A tenth of the area; five standard deviations.
    assert.ok(Math.abs(narrow - 10_000) < 475, `${narrow} of 100000 in a tenth of the area`);
    assert.deepEqual(readScan({ bytes: Buffer.from(formatObj(square)), file: 'scan.obj' }), points);
  });

  test('a point cloud is taken as it is', () => {
    const cloud = { ...square, faces: new Uint32Array(0) };
    assert.deepEqual(readScan({ bytes: formatPly(cloud), file: 'scan.ply' }), square.vertices);
  });

  test('what is no surface and no list of points is refused by name', () => {
    const flat = { vertices: new Float32Array(9), faces: Uint32Array.of(0, 1, 2) };
    const notFinite = formatNpy({ shape: [1, 3], data: Float32Array.of(0, NaN, 0) });
    const none = formatNpy({ shape: [0, 3], data: new Float32Array(0) });
    for (const [file, bytes, message] of [
      ['scan.ply', formatPly(flat), /scan\.ply: expected a surface/],
      ['scan.npy', notFinite, /scan\.npy, element 1: expected a finite number/],
      ['scan.npy', none, /shape \(0, 3\)/],
    ] as const) {
      assert.throws(
        () => readScan({ bytes, file }),
        (error: unknown) => error instanceof FormatError && message.test(error.message),
      );
    }
  });

  test('a folder may hold meshes where scans are expected', async () => {
    const folder = await copiedFolder();
    const [first] = goldenFrames;
    await rm(join(folder, 'scans', framePath(first, 'npy')));
    await writeFile(join(folder, 'scans', framePath(first, 'obj')), formatObj(square));
    const source = await openDirectorySource(folder, goldenDataset, 'stereo');
    const { scan } = await source.load('train', first);
    assert.ok(scan);
    assert.match(scan.file, /seq_a\.000001\.obj$/);
    assert.equal(readScan(scan).length, 300_000);
  });
});
