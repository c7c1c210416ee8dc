import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { asFloat32, formatNpy, parseNpy } from '../../../datasets/formats/numpy/npy.js';
import { formatNpz, parseNpz } from '../../../datasets/formats/numpy/npz.js';
import { writeZip } from '../../../datasets/formats/archives/zip.js';
import { goldenPath } from '../../support/golden/golden.js';

/** A file with a header of one's own, as another writer might make it. */
function file(descriptor: string, shape: string, data: Buffer, fortranOrder = false): Buffer {
  const dictionary = `{'descr': '${descriptor}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${shape}, }\n`;
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(dictionary.length, 8);
  return Buffer.concat([head, Buffer.from(dictionary), data]);
}

function refuses(
  bytes: Uint8Array,
  message: RegExp,
  parse: (bytes: Uint8Array, file: string) => unknown = parseNpy,
): void {
  assert.throws(
    () => parse(bytes, 'scan'),
    (error: unknown) => error instanceof FormatError && message.test(error.message) && error.message.startsWith('scan'),
  );
}

describe('npy', () => {
  test('a scan written by NumPy reads as it does there', () => {
    const scan = parseNpy(readFileSync(goldenPath('data/scans/subject_000/seq_a/seq_a.000001.npy')), 'scan');
    assert.deepEqual(scan.shape, [3000, 3]);
    assert.ok(scan.data instanceof Float32Array);
    assert.deepEqual([...scan.data.slice(0, 4)], [...Float32Array.of(-9.639529, -108.585365, 41.4489, -49.46035)]);
  });

  test('every type survives writing and reading', () => {
    for (const data of [
      Float32Array.of(1.5, -2, NaN),
      Float64Array.of(1 / 3, 2, 3),
      Int8Array.of(-1, 2, 3),
      Int16Array.of(-300, 2, 3),
      Int32Array.of(-70000, 2, 3),
      BigInt64Array.of(-5n, 2n ** 60n, 3n),
      Uint8Array.of(255, 2, 3),
      Uint16Array.of(65535, 2, 3),
      Uint32Array.of(4294967295, 2, 3),
      BigUint64Array.of(5n, 2n ** 63n, 3n),
    ]) {
      assert.deepEqual(parseNpy(formatNpy({ shape: [3, 1], data }), 'x'), { shape: [3, 1], data });
    }
    assert.deepEqual(parseNpy(formatNpy({ shape: [], data: Float32Array.of(7) }), 'x').shape, []);
    assert.deepEqual(parseNpy(formatNpy({ shape: [0, 3], data: new Float32Array(0) }), 'x').shape, [0, 3]);
    assert.equal((formatNpy({ shape: [1], data: Float32Array.of(7) }).length - 4) % 64, 0);
  });

  test('the other byte order, column order and half floats are understood', () => {
    const big = Buffer.alloc(8);
    big.writeFloatBE(1.5, 0);
    big.writeFloatBE(-2, 4);
    assert.deepEqual([...asFloat32(parseNpy(file('>f4', '(2,)', big), 'x'), 'x')], [1.5, -2]);
    const columns = parseNpy(file('|u1', '(2, 3)', Buffer.from([0, 10, 1, 11, 2, 12]), true), 'x');
    assert.deepEqual([...asFloat32(columns, 'x')], [0, 1, 2, 10, 11, 12]);
    const half = Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00).buffer);
    assert.deepEqual([...asFloat32(parseNpy(file('<f2', '(4,)', half), 'x'), 'x')], [1, -2, 2 ** -24, Infinity]);
    assert.deepEqual(
      [...asFloat32(parseNpy(file('<i8', '(1,)', Buffer.from(BigInt64Array.of(-7n).buffer)), 'x'), 'x')],
      [-7],
    );
  });

  test('what cannot be is refused, and nothing of the declared size allocated', () => {
    refuses(Buffer.alloc(0), /empty file/);
    refuses(Buffer.from('<html>wrong password</html>'), /NUMPY/);
    refuses(file('<f4', '(1000000000000, 3)', Buffer.alloc(12)), /12000000000000 bytes of data.*found 12 bytes/);
    refuses(file('<f4', '(99999999999999999999, 0)', Buffer.alloc(12)), /found 12 bytes/);
    refuses(file('<f4', '(2,)', Buffer.alloc(7)), /expected 8 bytes.*found 7/);
    refuses(file('<f4', '(2,)', Buffer.alloc(9)), /expected 8 bytes.*found 9/);
    refuses(file('|O', '(1,)', Buffer.alloc(8)), /numbers \(one of/);
    refuses(file('<f4', '(-1,)', Buffer.alloc(8)), /dictionary/);
    const long = formatNpy({ shape: [1], data: Float32Array.of(1) });
    refuses(long.subarray(0, 40), /header up to byte/);
    assert.throws(
      () => asFloat32({ shape: [2], data: Float32Array.of(1, NaN) }, 'scan', { finite: true }),
      /scan, element 1.*NaN/,
    );
  });

  test('bytes changed or cut anywhere make a FormatError or an array of the right size', () => {
    const good = formatNpy({ shape: [4, 3], data: new Float32Array(12).fill(1) });
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(good.length - 1), fc.nat(255), (length, at, value) => {
        const bytes = Buffer.from(good.subarray(0, length));
        if (at < length) bytes[at] = value;
        try {
          const { shape, data } = parseNpy(bytes, 'x');
          assert.equal(
            data.length,
            shape.reduce((product, side) => product * side, 1),
          );
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });
});

describe('npz', () => {
  test('the masks that NumPy wrote are all there', () => {
    const masks = parseNpz(readFileSync(goldenPath('data/masks.npz')), 'masks.npz');
    assert.equal(masks.size, 13);
    assert.equal(masks.get('vertex_count')?.data[0], 642n);
    assert.deepEqual(masks.get('face')?.shape, [200]);
  });

  test('stored and deflated archives read as they were written', () => {
    const arrays = new Map([
      ['lips', { shape: [2], data: Int32Array.of(1, 2) }],
      ['zeros', { shape: [100, 100], data: new Float32Array(10_000) }],
    ]);
    const deflated = formatNpz(arrays);
    const stored = formatNpz(arrays, { store: true });
    assert.ok(deflated.length < 1000 && stored.length > 40_000);
    assert.deepEqual(parseNpz(deflated, 'x'), arrays);
    assert.deepEqual(parseNpz(stored, 'x'), arrays);
  });

  test('damage, bombs and foreign methods are refused', () => {
    const good = formatNpz(new Map([['a', { shape: [1000], data: new Float32Array(1000).fill(3) }]]), { store: true });
    const flipped = Buffer.from(good);
    flipped[500]! ^= 1;
    refuses(flipped, /member "a.npy".*CRC-32.*damaged/, parseNpz);
    refuses(good.subarray(0, good.length - 30), /directory at the end/, parseNpz);
    const bomb = writeZip([{ name: 'a.npy', bytes: Buffer.alloc(100_000) }]);
    const sizeInDirectory = bomb.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24;
    bomb.writeUInt32LE(0xfffffffe, sizeInDirectory);
    refuses(bomb, /declared/, parseNpz);
    bomb.writeUInt32LE(5, sizeInDirectory);
    refuses(bomb, /member "a.npy"/, parseNpz);
    bomb.writeUInt32LE(100_000, sizeInDirectory);
    bomb.writeUInt16LE(12, sizeInDirectory - 14);
    refuses(bomb, /compression method 12/, parseNpz);
  });
});
