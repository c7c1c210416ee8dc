import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { formatObj, parseObj } from '../../../datasets/formats/meshes/obj.js';
import { formatPly, parsePly } from '../../../datasets/formats/meshes/ply.js';
import { goldenFaces, goldenPath } from '../../support/golden/golden.js';

const tetrahedron = {
  vertices: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1.1, 0, 0, 0, -1e-7),
  faces: Uint32Array.of(0, 1, 2, 0, 2, 3, 0, 3, 1, 1, 3, 2),
};
const encodings = ['ascii', 'binary_little_endian', 'binary_big_endian'] as const;

function refuses(parse: () => unknown, message: RegExp): void {
  assert.throws(parse, (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

function ply(header: string, body: Buffer | string = ''): Buffer {
  return Buffer.concat([Buffer.from(`ply\n${header}\nend_header\n`), Buffer.from(body)]);
}

describe('ply', () => {
  test('a published registration has the topology of its template', () => {
    const bytes = readFileSync(goldenPath('data/registrations/subject_000/seq_a/seq_a.000001.ply'));
    const mesh = parsePly(bytes, 'registration');
    assert.equal(mesh.vertices.length, 642 * 3);
    assert.deepEqual(mesh.faces, goldenFaces());
    assert.ok(Math.abs(mesh.vertices[0]! * 1000 + 40.34096) < 1e-4);
    assert.deepEqual(formatPly(mesh), bytes);
  });

  for (const encoding of encodings) {
    test(`${encoding}: what is written reads as the same numbers`, () => {
      assert.deepEqual(parsePly(formatPly(tetrahedron, encoding), 'x'), tetrahedron);
    });
  }

  test('further elements, properties and lists are skipped, polygons cut, byte order kept', () => {
    const header = (format: string): string =>
      [
        `format ${format} 1.0`,
        'comment made elsewhere',
        'element camera 1',
        'property list uchar double pose',
        'property uchar kind',
        'element vertex 4',
        'property uchar red',
        'property double x',
        'property float64 z',
        'property float y',
        'property list int short tags',
        'element face 1',
        'property list uint8 uint32 vertex_index',
        'property list uchar float texcoord',
      ].join('\n');
    const rows = [
      [[2, 0.5, 0.25], 7],
      ...[0, 1, 2, 3].map((n) => [n, n + 0.5, n + 0.25, n + 0.125, n === 1 ? [2, -3, 4] : [0]]),
      [
        [4, 0, 1, 2, 3],
        [1, 9],
      ],
    ];
    const text = rows.map((row) => row.flat().join(' ')).join('\n');
    const big = Buffer.alloc(200);
    let offset = 0;
    const put = (type: 'u8' | 'i16' | 'i32' | 'f32' | 'f64', value: number): void => {
      if (type === 'u8') offset = big.writeUInt8(value, offset);
      else if (type === 'i16') offset = big.writeInt16BE(value, offset);
      else if (type === 'i32') offset = big.writeInt32BE(value, offset);
      else if (type === 'f32') offset = big.writeFloatBE(value, offset);
      else offset = big.writeDoubleBE(value, offset);
    };
    put('u8', 2);
    put('f64', 0.5);
    put('f64', 0.25);
    put('u8', 7);
    for (const n of [0, 1, 2, 3]) {
      put('u8', n);
      put('f64', n + 0.5);
      put('f64', n + 0.25);
      put('f32', n + 0.125);
      const tags = n === 1 ? [-3, 4] : [];
      put('i32', tags.length);
      tags.forEach((tag) => put('i16', tag));
    }
    put('u8', 4);
    [0, 1, 2, 3].forEach((corner) => put('i32', corner));
    put('u8', 1);
    put('f32', 9);
    const expected = {
      vertices: Float32Array.from([0, 1, 2, 3].flatMap((n) => [n + 0.5, n + 0.125, n + 0.25])),
      faces: Uint32Array.of(0, 1, 2, 0, 2, 3),
    };
    assert.deepEqual(parsePly(ply(header('ascii'), text), 'x'), expected);
    assert.deepEqual(
      parsePly(ply(header('ascii').replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r\n')), 'x'),
      expected,
    );
    assert.deepEqual(parsePly(ply(header('binary_big_endian'), big.subarray(0, offset)), 'x'), expected);
  });

  test('binary data that look like line ends are data', () => {
    const mesh = {
      vertices: new Float32Array(Uint32Array.of(0x0a0a0a0a, 0x0d0a0d0a, 0x0a0d0a0d).buffer),
      faces: new Uint32Array(0),
    };
    assert.deepEqual(parsePly(formatPly(mesh), 'x').vertices, mesh.vertices);
  });

  test('what cannot be is refused, with its place', () => {
    const points = 'element vertex 2\nproperty float x\nproperty float y\nproperty float z';
    refuses(() => parsePly(Buffer.alloc(0), 'm.ply'), /m\.ply, line 1: expected "ply", found an empty file/);
    refuses(() => parsePly(Buffer.from('<html>'), 'x'), /found "<html>"/);
    refuses(() => parsePly(Buffer.from('ply\nformat ascii 1.0\n'), 'x'), /end_header/);
    refuses(() => parsePly(ply(`format ascii 2.0\n${points}`), 'x'), /line 2.*"format ascii 2.0"/);
    refuses(() => parsePly(ply('format ascii 1.0\nelement vertex -3'), 'x'), /line 3.*"element NAME COUNT"/);
    refuses(() => parsePly(ply('format ascii 1.0\nproperty float x'), 'x'), /line 3/);
    refuses(() => parsePly(ply('format ascii 1.0\nelement vertex 1\nproperty toString x'), 'x'), /line 4/);
    refuses(
      () => parsePly(ply('format ascii 1.0\nelement vertex 1\nproperty float x'), 'x'),
      /found 0 bytes|x, y and z/,
    );
    refuses(
      () => parsePly(ply(`format ascii 1.0\n${points}`, '1 2 3\n4 five 6'), 'x'),
      /line 9: expected a number, found "five"/,
    );
    refuses(() => parsePly(ply(`format ascii 1.0\n${points}`, '1 2 3\n4 nan 6'), 'x'), /line 9.*"nan"/);
    refuses(
      () => parsePly(ply(`format binary_little_endian 1.0\n${points}`, Buffer.alloc(23)), 'x'),
      /24 bytes.*found 23 bytes/,
    );
    const infinite = Buffer.alloc(24);
    infinite.writeFloatLE(Infinity, 16);
    refuses(
      () => parsePly(ply(`format binary_little_endian 1.0\n${points}`, infinite), 'x'),
      /vertex 1.*finite.*Infinity/,
    );
    const faces = `format ascii 1.0\n${points}\nelement face 1\nproperty list uchar int vertex_indices`;
    refuses(() => parsePly(ply(faces, '1 2 3\n4 5 6\n3 0 1 2'), 'x'), /vertices 0 to 1, found one with vertex 2/);
    refuses(() => parsePly(ply(faces, '1 2 3\n4 5 6\n3 0 1 -1'), 'x'), /face 0, line 12.*-1/);
    refuses(() => parsePly(ply(faces, '1 2 3\n4 5 6\n2 0 1'), 'x'), /3 corners or more/);
    refuses(() => parsePly(ply(faces, '1 2 3\n4 5 6\n3 0 1'), 'x'), /end of the file|can hold/);
  });

  test('a declared size that the file cannot hold allocates nothing', () => {
    const huge = 'element vertex 9007199254740991\nproperty float x\nproperty float y\nproperty float z';
    refuses(
      () => parsePly(ply(`format binary_little_endian 1.0\n${huge}`, Buffer.alloc(24)), 'x'),
      /until the end of the file/,
    );
    refuses(() => parsePly(ply(`format ascii 1.0\n${huge}`, '1 2 3'), 'x'), /until the end of the file/);
    const list = 'format binary_little_endian 1.0\nelement other 1\nproperty list uint double a';
    refuses(() => parsePly(ply(list, Buffer.from([255, 255, 255, 255, 0])), 'x'), /more bytes, found the end/);
    refuses(
      () => parsePly(ply('format ascii 1.0\nelement other 1\nproperty list uint double a', '4000000000 1'), 'x'),
      /can hold/,
    );
    const empty = `format ascii 1.0\nelement other 9007199254740991\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z`;
    assert.equal(parsePly(ply(empty, '1 2 3'), 'x').vertices.length, 3);
  });

  test('bytes changed or cut anywhere make a FormatError or a mesh whose faces have vertices', () => {
    for (const encoding of encodings) {
      const good = formatPly(tetrahedron, encoding);
      fc.assert(
        fc.property(fc.nat(good.length), fc.nat(good.length - 1), fc.nat(255), (length, at, value) => {
          const bytes = Buffer.from(good.subarray(0, length));
          if (at < length) bytes[at] = value;
          try {
            const mesh = parsePly(bytes, 'x');
            assert.ok(mesh.faces.every((index) => index < mesh.vertices.length / 3));
          } catch (error) {
            assert.ok(error instanceof FormatError, String(error));
          }
        }),
      );
    }
  });
});

describe('obj', () => {
  test('the template reads with its faces, and writes as the same mesh', () => {
    const mesh = parseObj(readFileSync(goldenPath('data/template.obj'), 'utf8'), 'template.obj');
    assert.equal(mesh.vertices.length, 642 * 3);
    assert.deepEqual(mesh.faces, goldenFaces());
    assert.deepEqual(parseObj(formatObj(mesh), 'x'), mesh);
    assert.deepEqual(parseObj(formatObj(tetrahedron), 'x'), tetrahedron);
  });

  test('all forms of corners, polygons, continued lines and other statements', () => {
    const text = [
      '\ufeff# a comment',
      'mtllib head.mtl',
      'v 0 0 0 1.0',
      'v 1 0 0',
      'vt 0 0',
      'vn 0 0 1',
      'v 1 1 0',
      'f 1 2/1 3/1/1',
      'v 0 1 0',
      'f 1//1 2//1 \\',
      ' 3//1 4//1',
      'f -4/-1/-1 -3/-1/-1 -1/-1/-1',
    ];
    for (const end of ['\n', '\r\n']) {
      assert.deepEqual([...parseObj(text.join(end), 'x').faces], [0, 1, 2, 0, 1, 2, 0, 2, 3, 0, 1, 3]);
    }
  });

  test('what cannot be is refused, with its line', () => {
    refuses(() => parseObj('', 'head.obj'), /head\.obj: expected vertices/);
    refuses(() => parseObj('v 1 2\n', 'x'), /line 1: expected a vertex.*"v 1 2"/);
    refuses(() => parseObj('v 1 2 NaN\n', 'x'), /line 1/);
    refuses(() => parseObj('v 1 2 3\nf 1 1\n', 'x'), /line 2.*3 corners/);
    refuses(() => parseObj('v 1 2 3\nf 1 1 2\n', 'x'), /faces of 1 vertices, found one with vertex 2/);
    refuses(() => parseObj('v 1 2 3\nf 1 1 -2\n', 'x'), /line 2.*"-2"/);
    refuses(() => parseObj('v 1 2 3\nf 0 1 1\n', 'x'), /line 2.*"0"/);
    refuses(() => parseObj('v 1 2 3\nf 1.5 1 1\n', 'x'), /line 2.*"1.5"/);
  });
});
