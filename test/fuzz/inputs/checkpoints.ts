import fc, { type Arbitrary } from 'fast-check';
import { writeZip } from '../../../datasets/formats/archives/zip.js';
import { opcode } from '../../../datasets/formats/pickle/opcodes.js';
import { damaged } from './bytes.js';

/** Checkpoints as PyTorch lays them out: a ZIP archive of a pickle and storages, each part of it right or nearly so. */

const code = (...values: number[]): Buffer => Buffer.from(values);
const joined = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return joined(code(opcode.binaryUnicode), length, bytes);
};
const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)));
  return joined(code(opcode.binaryInteger), bytes);
};
const named = (name: string): Buffer => {
  const dot = name.lastIndexOf('.');
  return Buffer.from(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`);
};
const tuple = (...items: Buffer[]): Buffer => joined(code(opcode.mark), ...items, code(opcode.tuple));
const call = (name: string, ...items: Buffer[]): Buffer => joined(named(name), tuple(...items), code(opcode.reduce));
const dictionary = (pairs: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  joined(code(opcode.emptyDictionary, opcode.mark), ...pairs.flat(), code(opcode.setItems));
const ordered = (pairs: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  joined(call('collections.OrderedDict'), code(opcode.mark), ...pairs.flat(), code(opcode.setItems));

const storages = [
  'Float',
  'Float',
  'Half',
  'BFloat16',
  'Double',
  'Long',
  'Int',
  'Short',
  'Char',
  'Byte',
  'Bool',
  'ComplexFloat',
];
const sizes = fc.constantFrom(0, 1, 2, 3, 4, 8, 12, 255, 65_536, 2 ** 30, -1);
/** Mostly the first; what is wrong everywhere shows nothing but the first fault that a reader looks for. */
const mostly = <T>(usual: Arbitrary<T>, odd: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const shapes = mostly(
  fc.array(fc.nat(4), { maxLength: 4 }),
  fc.oneof(
    fc.array(sizes, { maxLength: 4 }),
    fc.constantFrom(
      [2 ** 16, 2 ** 16],
      Array.from({ length: 70 }, () => 1),
    ),
  ),
);
const keys = mostly(fc.constantFrom('0', '1', '2'), fc.constantFrom('9', '../0', ''));

/** By rows, as a tensor that was not cut out of another has them; others, as slices, turned and broadcast ones have. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, side) => product * side, 1));
}

const tensor: Arbitrary<Buffer> = fc
  .record({
    type: fc.constantFrom(...storages),
    key: keys,
    shape: shapes,
    strides: mostly(fc.constant(null), fc.array(sizes, { maxLength: 4 })),
    offset: mostly(fc.nat(3), sizes),
    /** Numbers in the storage. */
    counted: mostly(fc.constant(64), sizes),
    wrap: fc.constantFrom('plain', 'plain', 'parameter', 'with state', 'subclass', 'bits'),
  })
  .map(({ type, key, shape, strides, offset, counted, wrap }) => {
    const id = joined(
      tuple(text('storage'), named(`torch.${type}Storage`), text(key), text('cpu'), integer(counted)),
      code(opcode.binaryPersistentId),
    );
    const sides = (list: readonly number[]): Buffer => tuple(...list.map(integer));
    const rest = [integer(offset), sides(shape), sides(strides ?? stridesOf(shape))];
    const hooks = call('collections.OrderedDict');
    const plain = call('torch._utils._rebuild_tensor_v2', id, ...rest, code(opcode.newFalse), hooks);
    const withBits = call(
      'torch._utils._rebuild_tensor_v2',
      id,
      ...rest,
      code(opcode.newFalse),
      hooks,
      dictionary([[text('neg'), code(opcode.newTrue)]]),
    );
    if (wrap === 'parameter') return call('torch._utils._rebuild_parameter', plain, code(opcode.newTrue), hooks);
    if (wrap === 'with state') {
      return call('torch._utils._rebuild_parameter_with_state', plain, code(opcode.newTrue), hooks, dictionary([]));
    }
    if (wrap === 'subclass') {
      const made = tuple(id, ...rest, code(opcode.newFalse), hooks);
      const type = named('torch.nn.parameter.Parameter');
      return call(
        'torch._tensor._rebuild_from_type_v2',
        named('torch._utils._rebuild_tensor_v2'),
        type,
        made,
        code(opcode.emptyDictionary),
      );
    }
    return wrap === 'bits' ? withBits : plain;
  });

const parameterNames = [
  'sparse_point_net.feature_net.conv1.weight',
  'sparse_point_net.feature_net.bn1.running_var',
  'sparse_point_net.global_net.0.bias',
  'local_densify_net.v2v.front_layers.0.block.0.weight',
  'conv1.weight',
  'layer1.0.bn1.running_mean',
  'layer1.0.bn1.num_batches_tracked',
  'fc.weight',
  '__proto__',
  '',
];
const prefixes = ['', '', '', 'module.', '_orig_mod.', 'module._orig_mod.', 'net.', 'model.'];
const state: Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(...prefixes),
    fc.array(fc.tuple(fc.constantFrom(...parameterNames), tensor), { maxLength: 5 }),
    fc.constantFrom('ordered', 'plain', 'metadata'),
  )
  .map(([prefix, tensors, kind]) => {
    const pairs = tensors.map(([name, made]) => [text(prefix + name), made] as const);
    if (kind === 'plain') return dictionary(pairs);
    const made = ordered(pairs);
    const metadata = dictionary([
      [text('_metadata'), ordered([[text(''), dictionary([[text('version'), integer(1)]])]])],
    ]);
    return kind === 'metadata' ? joined(made, metadata, code(opcode.build)) : made;
  });

const extra: Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(
    code(opcode.none),
    integer(300_000),
    text('NVIDIA'),
    call('torch.device', text('cuda'), integer(0)),
    call('torch.Size', tuple(integer(3), integer(4))),
    call('builtins.set', joined(code(opcode.emptyList, opcode.mark), integer(1), code(opcode.appends))),
    call('pathlib.PosixPath', text('/'), text('home')),
    joined(call('argparse.Namespace'), dictionary([[text('lr'), integer(1)]]), code(opcode.build)),
    named('posix.system'),
    call('collections.defaultdict', named('builtins.list')),
    call('datetime.datetime', code(opcode.shortBinaryBytes, 10, 7, 234, 11, 30, 8, 0, 0, 0, 0, 0)),
    joined(code(opcode.emptyList), code(opcode.binaryPut, 7), code(opcode.binaryGet, 7), code(opcode.append)),
  ),
  tensor,
);
const content: Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom('model', 'state_dict', 'bare', 'both'),
    state,
    fc.array(fc.tuple(fc.constantFrom('epoch', 'optimizer_model', 'args', 'hyper_parameters', 'model'), extra), {
      maxLength: 3,
    }),
  )
  .map(([kind, weights, extras]) => {
    if (kind === 'bare') return weights;
    const names = kind === 'both' ? ['model', 'state_dict'] : [kind];
    return dictionary([
      ...names.map((name) => [text(name), weights] as const),
      ...extras.map(([name, made]) => [text(name), made] as const),
    ]);
  });

/** Protocol 4 has frames; their lengths are not needed to read it, and may be wrong. */
const pickle: Arbitrary<Buffer> = fc
  .tuple(content, mostly(fc.constantFrom(2, 4), fc.constantFrom(3, 5, 200)), fc.nat(3))
  .map(([made, protocol, frame]) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(frame === 1 ? made.length + 1 : frame * 1000));
    const framed = protocol >= 4 && frame > 0 ? joined(code(opcode.frame), length) : Buffer.alloc(0);
    return joined(code(opcode.protocol, protocol), framed, made, code(opcode.stop));
  });

const stored: Arbitrary<Uint8Array> = mostly(
  fc.constantFrom(64, 128, 256, 512).map((length) => new Uint8Array(length).fill(63)),
  fc.uint8Array({ maxLength: 300 }),
);

/** `.pth` files of state dicts: other folders in the archive, other byte orders, storages that are missing, short or long. */
export const checkpointFiles: Arbitrary<Buffer> = damaged(
  fc
    .record({
      pickle,
      root: mostly(fc.constantFrom('archive', 'model_00300000'), fc.constantFrom('a/b', '..', '')),
      order: mostly(fc.constantFrom('little', 'none'), fc.constantFrom('big', 'x'.repeat(5000))),
      /** Of each storage; 64 numbers of up to eight bytes. */
      data: fc.tuple(...['0', '1', '2'].map((key) => fc.tuple(fc.constant(key), stored))),
      more: mostly<[string, Uint8Array][]>(
        fc.constant([]),
        fc.array(fc.tuple(fc.constantFrom('0', '9', '../0', ''), stored), { maxLength: 2 }),
      ),
      twice: mostly(fc.constant(false), fc.constant(true)),
      store: fc.boolean(),
      others: fc.array(
        fc.constantFrom('version', '.data/serialization_id', '.format_version', 'constants.pkl', 'code/x.py'),
        { maxLength: 2 },
      ),
    })
    .map(({ pickle: bytes, root, order, data, more, twice, store, others }) => {
      const under = (name: string): string => (root === '' ? name : `${root}/${name}`);
      const members = [
        { name: under('data.pkl'), bytes },
        ...(order === 'none' ? [] : [{ name: under('byteorder'), bytes: Buffer.from(order) }]),
        ...others.map((name) => ({ name: under(name), bytes: Buffer.from('3\n') })),
        ...[...data, ...more].map(([key, stored]) => ({ name: under(`data/${key}`), bytes: Buffer.from(stored) })),
        ...(twice ? [{ name: under('data.pkl'), bytes: Buffer.from('.') }] : []),
      ];
      return writeZip(members, { store });
    }),
);
