import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../../configs/packageRoot.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import {
  readPytorchFile,
  type PytorchTensor,
  type PytorchValue,
} from '../../../datasets/formats/pytorch/readPytorch.js';
import { writeZip } from '../../../datasets/formats/archives/zip.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();

/** A `.pth` of a pickle and storages of one's own. */
async function pth(pickle: Buffer, storages: Record<string, Buffer> = {}): Promise<string> {
  const path = join(folder, 'made.pth');
  const data = Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes }));
  await writeFile(path, writeZip([{ name: 'archive/data.pkl', bytes: pickle }, ...data], { store: true }));
  return path;
}

async function refused(path: string, message: RegExp): Promise<void> {
  const before = process.cpuUsage();
  await assert.rejects(readPytorchFile(path), (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.match(error.message, message);
    return true;
  });
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2e6, `${(user + system) / 1e6} s of processor time`);
}

// Written by makeExtras.py beside it, with Python's pickle and the real NumPy.
for (const protocol of [2, 4]) {
  test(`what lies beside the weights is read (protocol ${protocol}); a negative bit turns the sign`, async () => {
    const content = await readPytorchFile(join(packageRoot, `test/datasets/pytorch/extras.${protocol}.pth`));
    assert.ok(content instanceof Map);
    const model = content.get('model') as Map<string, PytorchTensor>;
    const values = (name: string): number[] => [...model.get(name)!.values];
    assert.deepEqual(values('plain'), [1, -2, 0.5]);
    assert.deepEqual(values('negative'), [-1, 2, -0.5]);
    assert.deepEqual(values('typed'), [1, -2, 0.5]);
    assert.equal(model.get('tied'), model.get('plain'), 'one tensor, as in the file');
    assert.deepEqual(values('large'), [2 ** 53 - 1]);
    assert.deepEqual(values('flags'), [1, 0]);
    const plain = Object.fromEntries([...content].filter(([name]) => name !== 'model')) as Record<string, PytorchValue>;
    assert.equal(plain['device'], 'cuda:0');
    assert.equal(plain['float'], 0.25);
    assert.equal(plain['int'], 2 ** 40 + 1);
    assert.equal(plain['bool'], true);
    assert.deepEqual(plain['array'], { shape: [2, 3], values: Float32Array.of(0, 1, 2, 3, 4, 5) });
    assert.deepEqual(plain['columns'], { shape: [2, 3], values: Float64Array.of(0, 1, 2, 3, 4, 5) });
    assert.deepEqual(plain['set'], [3]);
    assert.deepEqual(plain['frozen'], ['a']);
    assert.deepEqual([...(plain['bytes'] as Uint8Array)], [0, 255]);
    assert.equal((plain['none'] as Uint8Array).length, 0);
    assert.deepEqual([...(plain['bytearray'] as Uint8Array)], [97, 98]);
    assert.deepEqual(
      plain['namespace'],
      new Map<string, PytorchValue>([
        ['lr', 1e-3],
        ['tags', ['x']],
        ['path', 'runs/a'],
      ]),
    );
    assert.deepEqual(plain['default'], new Map([['k', [1]]]));
    assert.deepEqual(plain['pair'], new Map([['(1, 2)', 'v']]));
  });
}

describe('hostile pickles end soon, with the place', () => {
  const header = Buffer.from([0x80, 2]);
  const stop = Buffer.from('.');
  const pickled = (...parts: (string | Buffer)[]): Buffer =>
    Buffer.concat([
      header,
      ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
      stop,
    ]);
  /** Remembers the top of the stack, and takes it away. */
  const put = (index: number): Buffer => Buffer.from([0x71, index, 0x30]);
  const get = (index: number): Buffer => Buffer.from([0x68, index]);

  test('a class that is not read is named, with the line that saves the weights without it', async () => {
    const path = await pth(pickled('cmypackage.config\nSettings\n)\x81}b'));
    await refused(path, /"mypackage\.config\.Settings", which is not read.*torch\.save\(.*made\.weights\.pth/);
  });

  test('references to references of references', async () => {
    const levels = Array.from({ length: 40 }, (_, i) =>
      Buffer.concat([
        i === 0 ? Buffer.from(']q\x00K\x01a0', 'latin1') : Buffer.alloc(0),
        Buffer.from('](', 'latin1'),
        ...Array.from({ length: 9 }, () => get(i)),
        Buffer.from('e'),
        put(i + 1),
      ]),
    );
    const value = await readPytorchFile(await pth(pickled(...levels, get(40))));
    assert.equal((value as PytorchValue[]).length, 9);
  });

  test('a list that holds itself, lists in lists without end', async () => {
    await refused(await pth(pickled(']q\x00h\x00a')), /a collection that holds itself/);
    await refused(await pth(pickled(']'.repeat(400_000), 'a'.repeat(399_999))), /at most 100 levels/);
  });

  test('whole numbers of a megabyte, and many of a hundred kilobytes', async () => {
    const long = (bytes: number): Buffer => {
      const head = Buffer.from([0x8b, 0, 0, 0, 0]);
      head.writeUInt32LE(bytes, 1);
      return Buffer.concat([head, Buffer.alloc(bytes, 0x7f)]);
    };
    await refused(await pth(pickled(long(900_000))), /byte 7: expected a whole number of at most 256 bytes/);
    await refused(await pth(pickled(...Array.from({ length: 9 }, () => long(100_000)))), /of at most 256 bytes/);
  });

  test('the same long text copied over and over', async () => {
    const text = Buffer.concat([Buffer.from('X\x20\xa1\x07\x00', 'latin1'), Buffer.alloc(500_000, 0x61)]);
    const encode = Buffer.concat([Buffer.from('c_codecs\nencode\n'), put(2)]);
    const latin = Buffer.concat([Buffer.from('X\x06\x00\x00\x00latin1', 'latin1'), put(1)]);
    const calls = Array.from({ length: 20_000 }, () =>
      Buffer.concat([get(2), get(0), get(1), Buffer.from([0x86, 0x52])]),
    );
    await refused(await pth(pickled(text, put(0), latin, encode, ...calls)), /copy the same data over and over/);
  });

  test('tensors far larger than their storages, one by one or together', async () => {
    const tensor = (elements: number): Buffer =>
      Buffer.concat([
        Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n', 'latin1'),
        Buffer.from('X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00', 'latin1'),
        ((size) => (size.writeUInt32LE(elements, 1), size))(Buffer.from('J\x00\x00\x00\x00\x85', 'latin1')),
        Buffer.from('K\x00\x85\x89Ntt'.slice(0, -1), 'latin1'),
        Buffer.from('R'),
      ]);
    const one = { 0: Buffer.alloc(4) };
    await refused(await pth(pickled(tensor(2 ** 28)), one), /at most 4 bytes of numbers for each of the file/);
    const many = Array.from({ length: 50 }, () => tensor(2 ** 20));
    await refused(await pth(pickled('(', ...many, 'l'.replace('l', 't')), one), /at most 4 bytes of numbers/);
  });

  test('members of one name, and bytes behind the pickle', async () => {
    await refused(
      await pth(Buffer.concat([pickled('N'), Buffer.from('more')])),
      /the end of the pickle, found 4 bytes more/,
    );
    const path = join(folder, 'twice.pth');
    const member = { name: 'archive/data.pkl', bytes: pickled('N') };
    await writeFile(path, writeZip([member, member], { store: true }));
    await refused(path, /each member once/);
  });
});
