import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../checkpoints/safetensors.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();

const arrays = {
  'z.weight': { shape: [2, 2], values: Float32Array.of(1.5, -2, 0, 3e-30) },
  'a.count': { shape: [], values: Int32Array.of(-7) },
  'm.empty': { shape: [0, 3], values: new Float32Array(0) },
};

test('arrays come back with shapes, values and metadata', () => {
  const bytes = encodeSafetensors(arrays, { layout: 'channels-last' });
  const decoded = decodeSafetensors(bytes, 'memory');
  assert.deepEqual(decoded.metadata, { layout: 'channels-last' });
  assert.deepEqual(decoded.arrays, {
    'a.count': arrays['a.count'],
    'm.empty': arrays['m.empty'],
    'z.weight': arrays['z.weight'],
  });
  const inside = new Uint8Array(bytes.length + 3);
  inside.set(bytes, 3);
  assert.deepEqual(decodeSafetensors(inside.subarray(3), 'unaligned').arrays, decoded.arrays);
});

test('the same numbers give the same bytes in whatever order they come', () => {
  const reversed = Object.fromEntries(Object.entries(arrays).reverse());
  assert.deepEqual(encodeSafetensors(arrays, { a: '1', b: '2' }), encodeSafetensors(reversed, { b: '2', a: '1' }));
});

test('what is cut short or no such file is refused', () => {
  const bytes = encodeSafetensors(arrays);
  for (const end of [0, 7, 40, bytes.length - 1]) {
    assert.throws(() => decodeSafetensors(bytes.subarray(0, end), 'cut'), SafetensorsError, `cut at ${end}`);
  }
  assert.throws(() => decodeSafetensors(new Uint8Array(64).fill(0xff), 'noise'), SafetensorsError);
  assert.throws(
    () => encodeSafetensors({ a: { shape: [3], values: new Float32Array(2) } }),
    /2 numbers do not fill the shape \[3\]/,
  );
});

const python = spawnSync('python3', ['--version']).status === 0;

test(
  'Python reads it by the published description of the format',
  { skip: python ? false : 'there is no python3' },
  async () => {
    const file = join(folder, 'arrays.safetensors');
    await writeFile(file, encodeSafetensors(arrays, { layout: 'channels-last' }));
    const script = `
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
n = struct.unpack('<Q', data[:8])[0]
header = json.loads(data[8:8 + n])
kinds = {'F32': 'f', 'I32': 'i'}
out = {}
for name, e in header.items():
    if name == '__metadata__': continue
    a, b = e['data_offsets']
    values = struct.unpack(f"<{(b - a) // 4}{kinds[e['dtype']]}", data[8 + n + a:8 + n + b])
    out[name] = [e['shape'], list(values)]
print(json.dumps({'metadata': header['__metadata__'], 'aligned': n % 8, **out}))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(stdout || stderr), {
      metadata: { layout: 'channels-last' },
      aligned: 0,
      'a.count': [[], [-7]],
      'm.empty': [[0, 3], []],
      'z.weight': [
        [2, 2],
        [1.5, -2, 0, Math.fround(3e-30)],
      ],
    });
  },
);
