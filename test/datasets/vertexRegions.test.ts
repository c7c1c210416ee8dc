import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FormatError } from '../../datasets/formats/formatError.js';
import { formatNpz, parseNpz } from '../../datasets/formats/npz.js';
import { readVertexRegions, regionNames } from '../../datasets/vertexRegions.js';
import { goldenPath } from '../support/golden.js';

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
