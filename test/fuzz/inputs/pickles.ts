import fc, { type Arbitrary } from 'fast-check';
import { opcode } from '../../../datasets/formats/pickle/opcodes.js';
import { writeZip } from '../../../datasets/formats/archives/zip.js';
import { damaged } from './bytes.js';

const code = (...values: number[]): Buffer => Buffer.from(values);
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([code(opcode.shortBinaryUnicode, bytes.length), bytes]);
};
const named = (name: string): Buffer => {
  const dot = name.lastIndexOf('.');
  return Buffer.from(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`);
};

const names = [
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch._tensor._rebuild_from_type_v2',
  'torch.FloatStorage',
  'torch.LongStorage',
  'torch.Tensor',
  'torch.device',
  'torch.Size',
  'collections.OrderedDict',
  'collections.defaultdict',
  'builtins.set',
  'builtins.bytearray',
  '_codecs.encode',
  'argparse.Namespace',
  'pathlib.PosixPath',
  'copyreg._reconstructor',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy.core.numeric._frombuffer',
  'numpy.ndarray',
  'numpy.dtype',
  'scipy.sparse._csc.csc_matrix',
  'psbody.mesh.mesh.Mesh',
  'posix.system',
];

/** A pickle is a program: each value is the part of it that leaves the value on the stack. */
const { value } = fc.letrec<{ value: Buffer; small: Buffer; items: Buffer[]; tuple: Buffer }>((tie) => ({
  small: fc.oneof(
    fc.constantFrom(code(opcode.none), code(opcode.newTrue), code(opcode.emptyList), code(opcode.emptyDictionary)),
    fc.nat(255).map((n) => code(opcode.binaryInteger1, n)),
    fc.constantFrom('model', 'storage', '0', 'cpu', 'latin1', '|', '<', 'f8', 'O', 'v', 'f', '_shape', 'neg').map(text),
    fc.constantFrom(...names).map(named),
    fc
      .uint8Array({ maxLength: 20 })
      .map((bytes) => Buffer.concat([code(opcode.shortBinaryBytes, bytes.length), bytes])),
    fc.nat(5).map((index) => code(opcode.binaryGet, index)),
  ),
  items: fc.array(tie('value'), { maxLength: 6 }),
  tuple: tie('items').map((items) => Buffer.concat([code(opcode.mark), ...items, code(opcode.tuple)])),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('small'),
    tie('items').map((items) => Buffer.concat([code(opcode.emptyList, opcode.mark), ...items, code(opcode.appends)])),
    tie('items').map((items) => {
      const pairs = items.slice(0, items.length - (items.length % 2));
      return Buffer.concat([code(opcode.emptyDictionary, opcode.mark), ...pairs, code(opcode.setItems)]);
    }),
    tie('tuple'),
    fc
      .tuple(fc.constantFrom(...names), tie('tuple'))
      .map(([name, items]) => Buffer.concat([named(name), items, code(opcode.reduce)])),
    fc.tuple(tie('value'), tie('value')).map(([object, state]) => Buffer.concat([object, state, code(opcode.build)])),
    tie('tuple').map((id) => Buffer.concat([id, code(opcode.binaryPersistentId)])),
    fc.tuple(tie('value'), fc.nat(5)).map(([made, index]) => Buffer.concat([made, code(opcode.binaryPut, index)])),
    storedTensor(),
  ),
}));

/** A tensor as PyTorch writes it, with numbers that may not fit. */
function storedTensor(): Arbitrary<Buffer> {
  const number = fc.constantFrom(0, 1, 2, 3, 255);
  return fc
    .tuple(fc.constantFrom('0', '1', '9'), number, fc.array(number, { maxLength: 3 }), number)
    .map(([key, size, shape, stride]) => {
      const integer = (n: number): Buffer => code(opcode.binaryInteger1, n);
      const sides = (list: readonly number[]): Buffer =>
        Buffer.concat([code(opcode.mark), ...list.map(integer), code(opcode.tuple)]);
      const id = Buffer.concat([
        code(opcode.mark),
        text('storage'),
        named('torch.FloatStorage'),
        text(key),
        text('cpu'),
        integer(size),
        code(opcode.tuple, opcode.binaryPersistentId),
      ]);
      const rest = Buffer.concat([
        integer(0),
        sides(shape),
        sides(shape.map(() => stride)),
        code(opcode.newFalse, opcode.none),
      ]);
      return Buffer.concat([
        named('torch._utils._rebuild_tensor_v2'),
        code(opcode.mark),
        id,
        rest,
        code(opcode.tuple, opcode.reduce),
      ]);
    });
}

/** Whole pickles, and bytes of opcodes in any order. */
export const pickles: Arbitrary<Buffer> = fc.oneof(
  damaged(value.map((made) => Buffer.concat([code(opcode.protocol, 2), made, code(opcode.stop)]))),
  fc.array(fc.constantFrom(...Object.values(opcode)), { maxLength: 80 }).map((codes) => code(...codes)),
);

/** PyTorch files of such pickles and small storages. */
export const pytorchFiles: Arbitrary<Buffer> = damaged(
  fc.tuple(pickles, fc.uint8Array({ maxLength: 16 }), fc.boolean()).map(([pickle, storage, store]) =>
    writeZip(
      [
        { name: 'archive/data.pkl', bytes: pickle },
        { name: 'archive/byteorder', bytes: Buffer.from('little') },
        { name: 'archive/data/0', bytes: Buffer.from(storage) },
        { name: 'archive/data/1', bytes: Buffer.alloc(12, 0x3f) },
      ],
      { store },
    ),
  ),
);
