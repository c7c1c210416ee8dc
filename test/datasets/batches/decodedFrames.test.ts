import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodedFrames } from '../../../datasets/batches/decodedFrames.js';
import type { Sample } from '../../../datasets/types.js';

const camera = {
  name: '00_A',
  width: 16,
  height: 16,
  intrinsics: new Float64Array(9),
  extrinsics: new Float64Array(12),
  distortion: [0, 0] as const,
};
const eightBit = Uint8Array.from({ length: 768 }, (_, i) => i % 256);
const resized = Float32Array.from({ length: 768 }, (_, i) => i / 1000);

function sample(...images: (Float32Array | Uint8Array)[]): Sample {
  return {
    id: { subject: 's', sequence: 'q', frame: '000001' },
    views: images.map((image) => ({ camera, image })),
    vertices: Float32Array.of(1, 2, 3),
    scanPoints: Float32Array.of(4, 5, 6),
    coarseVertices: null,
  };
}

test('what is kept comes back, 8-bit images and resized ones', () => {
  const decoded = new DecodedFrames(1e6);
  const both = sample(eightBit, resized);
  decoded.keep('a', both, 1);
  assert.deepEqual(decoded.get('a'), both);
  assert.equal(decoded.get('b'), null);
});

test('a data set that exceeds the limit is not kept; 8-bit images count a quarter', () => {
  const decoded = new DecodedFrames(10 * 1000);
  decoded.keep('resized', sample(resized), 10);
  assert.equal(decoded.get('resized'), null);
  decoded.keep('8-bit', sample(eightBit), 10);
  assert.ok(decoded.get('8-bit'));
  decoded.keep('more', sample(eightBit), 20);
  assert.equal(decoded.get('more'), null);
});
