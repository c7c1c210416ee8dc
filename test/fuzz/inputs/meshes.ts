import fc, { type Arbitrary } from 'fast-check';
import { damaged, numbers, words } from './bytes.js';

const types = ['char', 'uchar', 'short', 'ushort', 'int', 'uint', 'float', 'double', 'int8', 'float64', 'toString'];
const formats = ['ascii', 'binary_little_endian', 'binary_big_endian'] as const;

const property = fc.record({
  isList: fc.boolean(),
  countType: fc.constantFrom(...types),
  type: fc.constantFrom(...types),
  name: fc.constantFrom('x', 'y', 'z', 'red', 'nx', 'vertex_indices', 'vertex_index', 'flags'),
});
const element = fc.record({
  name: fc.constantFrom('vertex', 'face', 'tristrips', 'edge', 'range_grid', 'camera'),
  count: fc.oneof(fc.nat(5), fc.constantFrom(0, 4294967295, 9007199254740991)),
  properties: fc.array(property, { maxLength: 5 }),
});

/** Headers of any elements over values of any kind. */
const anyPly = fc
  .record({
    start: fc.constantFrom('ply\n', 'PLY\r\n', '\ufeffply \n', 'ply\r'),
    format: fc.constantFrom(...formats),
    elements: fc.array(element, { maxLength: 4 }),
    text: words(numbers, ' ', 80),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ start, format, elements, text, body }) => {
    const lines = elements.flatMap(({ name, count, properties }) => [
      `element ${name} ${count}`,
      ...properties.map((each) =>
        each.isList
          ? `property list ${each.countType} ${each.type} ${each.name}`
          : `property ${each.type} ${each.name}`,
      ),
    ]);
    const header = `${start}format ${format} 1.0\n${lines.map((line) => `${line}\n`).join('')}end_header\n`;
    return Buffer.concat([Buffer.from(header), format === 'ascii' ? Buffer.from(text) : Buffer.from(body)]);
  });

/** Meshes whose header and rows fit each other: polygons and strips of few vertices, of any shape. */
const soundPly = fc
  .record({
    vertices: fc.array(
      fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: -1, max: 1 })),
      {
        minLength: 3,
        maxLength: 12,
      },
    ),
    faces: fc.array(fc.array(fc.integer({ min: -1, max: 11 }), { maxLength: 8 }), { maxLength: 6 }),
    isStrip: fc.boolean(),
  })
  .map(({ vertices, faces, isStrip }) =>
    Buffer.from(
      [
        'ply\nformat ascii 1.0',
        `element vertex ${vertices.length}\nproperty float x\nproperty float y\nproperty float z`,
        `element ${isStrip ? 'tristrips' : 'face'} ${faces.length}\nproperty list uchar int vertex_indices\nend_header`,
        ...vertices.map((vertex) => vertex.join(' ')),
        ...faces.map((face) => [face.length, ...face].join(' ')),
        '',
      ].join('\n'),
    ),
  );

export const plyFiles: Arbitrary<Buffer> = damaged(fc.oneof(anyPly, soundPly));

const corners = ['1', '2', '3', '4', '-1', '-2', '5/1', '1//2', '2/1/3', '0', '99'];
const statement = fc.oneof(
  fc.array(fc.constantFrom(...numbers), { minLength: 2, maxLength: 7 }).map((list) => `v ${list.join(' ')}`),
  fc.tuple(fc.nat(9), fc.nat(9), fc.nat(2)).map(([x, y, z]) => `v ${x} ${y} ${z}`),
  fc.array(fc.constantFrom(...corners), { minLength: 2, maxLength: 9 }).map((list) => `f ${list.join(' ')}`),
  fc.constantFrom(
    '# a comment \\',
    'vt 0 1',
    'g a b \\',
    '\\',
    'surf 0 1',
    'usemtl C:\\x\\',
    '\ufeff',
    '',
    'l 1 2',
    'v\\',
  ),
);

export const objFiles: Arbitrary<Buffer> = damaged(
  fc
    .tuple(fc.array(statement, { maxLength: 40 }), fc.constantFrom('\n', '\r\n', '\r'))
    .map(([lines, end]) => Buffer.from(lines.join(end))),
);
