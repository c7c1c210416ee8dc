import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FormatError } from '../../datasets/formats/formatError.js';
import { formatNpy } from '../../datasets/formats/numpy/npy.js';
import { formatNpz, parseNpz } from '../../datasets/formats/numpy/npz.js';
import { writeZip } from '../../datasets/formats/archives/zip.js';
import { readVertexRegions, regionNames } from '../../datasets/vertexRegions.js';
import { goldenPath } from '../support/golden/golden.js';

const bytes = readFileSync(goldenPath('data/masks.npz'));

test('the masks of the published form give all regions', () => {
  const regions = readVertexRegions(bytes, 'masks.npz', 642);
  assert.deepEqual(Object.keys(regions), [...regionNames]);
  assert.equal(regions.face.length, 200);
});

test('a region that is missing, or leaves the template, is named', () => {
  const arrays = parseNpz(bytes, 'masks.npz');
  const refuses = (changed: Buffer, vertexCount: number, message: RegExp): void => {
    assert.throws(
      () => readVertexRegions(changed, 'masks.npz', vertexCount),
      (error: unknown) => error instanceof FormatError && message.test(error.message),
    );
  };
  refuses(bytes, 100, /masks\.npz, \w+, entry \d+: expected a vertex below 100, found \d+/);
  arrays.delete('lips');
  refuses(formatNpz(arrays), 642, /expected an array lips of vertex indices, found .*face/);
  arrays.set('lips', { shape: [2], data: Float32Array.of(1, 1.5) });
  refuses(formatNpz(arrays), 642, /lips, entry 1: expected a vertex below 642, found 1\.5/);
});

test('a mask of false and true gives the indices of its true entries; other masks and lists are refused', () => {
  const arrays = parseNpz(bytes, 'masks.npz');
  const lips = [...(arrays.get('lips')!.data as BigInt64Array)].map(Number);
  const mask = new Uint8Array(642);
  for (const vertex of lips) mask[vertex] = 1;
  const header = (length: number): Buffer => {
    const text = `{'descr': '|b1', 'fortran_order': False, 'shape': (${length},), }\n`;
    return Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      Buffer.from([text.length, 0]),
      Buffer.from(text),
    ]);
  };
  const withLips = (npy: Buffer): Buffer => {
    const others = [...arrays].filter(([name]) => name !== 'lips');
    return writeZip([
      ...others.map(([name, array]) => ({ name: `${name}.npy`, bytes: formatNpy(array) })),
      { name: 'lips.npy', bytes: npy },
    ]);
  };
  const booleans = withLips(Buffer.concat([header(642), mask]));
  const expected = [...lips].sort((a, b) => a - b);
  assert.deepEqual([...(readVertexRegions(booleans, 'masks.npz', 642).lips as Uint32Array)], expected);
  const refuses = (npy: Buffer, message: RegExp): void => {
    assert.throws(
      () => readVertexRegions(withLips(npy), 'masks.npz', 642),
      (error: unknown) => error instanceof FormatError && message.test(error.message),
    );
  };
  refuses(
    Buffer.concat([header(320), mask.subarray(0, 320)]),
    /lips: expected false or true for each .*642.*shape \(320\)/,
  );
  refuses(Buffer.concat([header(642), new Uint8Array(642)]), /lips: expected vertices of the region, found none/);
  // The same mask as numbers: 0 and 1 over and over.
  refuses(formatNpy({ shape: [642], data: mask }), /lips, entry \d+: expected each vertex once/);
  refuses(formatNpy({ shape: [0], data: new Int32Array(0) }), /lips: expected vertices of the region, found none/);
  refuses(formatNpy({ shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) }), /lips: expected a list of vertices/);
});
