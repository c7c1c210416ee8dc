import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { packageRoot } from '../../../configs/packageRoot.js';
import { formatNpy } from '../../../datasets/formats/numpy/npy.js';
import { openZip, writeZip, type ZipMember } from '../../../datasets/formats/archives/zip.js';
import { regionNames } from '../../../datasets/vertexRegions.js';
import { damaged } from './bytes.js';
import { pickles } from './pickles.js';

const descriptors = [
  '<f4',
  '>f8',
  '<i8',
  '|b1',
  '|u1',
  '<f2',
  '>i2',
  '|O',
  '<c8',
  '|S5',
  '=u4',
  '',
  '<f4<',
  'toString',
];

/** Points as scans have them, lists as regions have them, masks. */
const soundNpy: Arbitrary<Buffer> = fc.oneof(
  fc.array(fc.float({ noNaN: true }), { maxLength: 30 }).map((list) => {
    const data = Float32Array.from(list.slice(0, list.length - (list.length % 3)));
    return formatNpy({ shape: [data.length / 3, 3], data });
  }),
  fc
    .uniqueArray(fc.nat(5), { maxLength: 4 })
    .map((list) => formatNpy({ shape: [list.length], data: Int32Array.from(list) })),
  fc
    .array(fc.nat(3), { minLength: 3, maxLength: 3 })
    .map((list) => formatNpy({ shape: [1, 3], data: Uint32Array.from(list) })),
);

/** Array files whose header and data fit each other, more or less. */
const oddNpy: Arbitrary<Buffer> = damaged(
  fc
    .record({
      version: fc.constantFrom(1, 1, 1, 2, 3, 0, 255),
      descriptor: fc.constantFrom(...descriptors),
      isFortran: fc.constantFrom('True', 'False', 'None'),
      shape: fc.array(fc.oneof(fc.nat(6), fc.constantFrom(0, 2 ** 31, 2 ** 53)), { maxLength: 5 }),
      more: fc.constantFrom('', '', '', "'x': 1,", '}', '(('),
      data: fc.oneof(fc.constant(null), fc.uint8Array({ maxLength: 64 })),
    })
    .map(({ version, descriptor, isFortran, shape, more, data }) => {
      const sides = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
      const text = Buffer.from(
        `{'descr': '${descriptor}', 'fortran_order': ${isFortran}, 'shape': ${sides}, ${more}}\n`,
      );
      const head = Buffer.alloc(version === 1 ? 10 : 12);
      head.write('\x93NUMPY', 'latin1');
      head[6] = version;
      if (version === 1) head.writeUInt16LE(text.length, 8);
      else head.writeUInt32LE(text.length, 8);
      const count = shape.reduce((product, side) => product * side, 1);
      const size = Math.min(10_000, count * Number(/\d/.exec(descriptor)?.[0] ?? 1));
      return Buffer.concat([head, text, data === null ? Buffer.alloc(size, 1) : Buffer.from(data)]);
    }),
);

export const npyFiles: Arbitrary<Buffer> = fc.oneof(damaged(soundNpy), oddNpy);

const isStored = fc.boolean();

/** The masks of a template of few vertices, one of them replaced. */
export const maskFiles: Arbitrary<Buffer> = fc
  .tuple(
    fc.array(fc.uniqueArray(fc.nat(3), { minLength: 1 }), { minLength: 12, maxLength: 12 }),
    fc.nat(30),
    npyFiles,
    isStored,
  )
  .map(([lists, index, other, store]) => {
    const arrays = lists.map((list) => formatNpy({ shape: [list.length], data: Int32Array.from(list) }));
    const members = regionNames.map((name, i) => ({ name: `${name}.npy`, bytes: i === index ? other : arrays[i]! }));
    return writeZip(members, { store });
  });

/** Archives of arrays under the names that are asked for; damaged as a whole, or member by member under right checksums. */
export const npzFiles: Arbitrary<Buffer> = damaged(
  fc
    .tuple(
      fc.array(
        fc.record({
          name: fc.constantFrom(...regionNames, 'v', 'f', 'vertices', 'sampled_meshes', '../x', 'a\u001b'),
          bytes: npyFiles,
        }),
        { maxLength: 6 },
      ),
      isStored,
    )
    .map(([members, store]) =>
      writeZip(
        members.map(({ name, bytes }) => ({ name: `${name}.npy`, bytes })),
        { store },
      ),
    ),
);

const meshSampler = readFileSync(join(packageRoot, 'test/datasets/reader/mesh_sampler_numpy2.npz'));

/** A published run's topology, its pickles damaged or replaced under right checksums. */
export const meshSamplers: Arbitrary<Buffer> = fc
  .tuple(fc.nat(6), fc.boolean(), pickles)
  .chain(([index, isDamaged, pickle]) => {
    const zip = openZip(meshSampler, 'mesh_sampler.npz');
    const members: ZipMember[] = zip.names.map((name) => ({ name, bytes: zip.read(name) }));
    const { name, bytes } = members[index]!;
    const header = bytes.subarray(0, 128);
    const changed = isDamaged ? damaged(fc.constant(bytes)) : fc.constant(Buffer.concat([header, pickle]));
    return changed.map((made) =>
      writeZip(members.map((member) => (member.name === name ? { name, bytes: made } : member))),
    );
  });
