import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { packageRoot } from '../../../configs/packageRoot.js';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { readPickle } from '../../../datasets/formats/pickle/pickleReader.js';
import { numpyVocabulary } from '../../../datasets/formats/pickle/numpyVocabulary.js';
import { plainVocabulary } from '../../../datasets/formats/pickle/plainVocabulary.js';
import { sparseVocabulary } from '../../../datasets/formats/pickle/sparseVocabulary.js';
import { PickleGlobal } from '../../../datasets/formats/pickle/values.js';
import {
  readPytorchFile,
  type PytorchTensor,
  type PytorchValue,
} from '../../../datasets/formats/pytorch/readPytorch.js';
import { torchVocabulary } from '../../../datasets/formats/pytorch/torchVocabulary.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

// Written by makeFixture.py beside it, with Python's own pickle module.
const fixture = join(packageRoot, 'test/datasets/pytorch/fixture.pth');
const everything = [torchVocabulary, plainVocabulary, numpyVocabulary, sparseVocabulary];
const folder = temporaryFolder();

function entry(value: PytorchValue | undefined, key: string | number): PytorchValue {
  assert.ok(value instanceof Map, `a dictionary above ${key}`);
  const found = value.get(key);
  assert.notEqual(found, undefined, `an entry ${key}`);
  return found as PytorchValue;
}

function tensor(value: PytorchValue): { shape: number[]; values: number[] } {
  const { shape, values } = value as PytorchTensor;
  return { shape: [...shape], values: [...values] };
}

test('reads tensors of shared, strided and half-precision storages, and the options beside them', async () => {
  const content = await readPytorchFile(fixture);
  const model = entry(content, 'model');
  assert.deepEqual(tensor(entry(model, 'plain')), { shape: [2, 3], values: [0, 1, 2, 3, 4, 5] });
  assert.deepEqual(tensor(entry(model, 'transposed')), { shape: [3, 2], values: [0, 3, 1, 4, 2, 5] });
  assert.deepEqual(tensor(entry(model, 'shared_tail')), { shape: [2], values: [4, 5] });
  assert.deepEqual(tensor(entry(model, 'half')), { shape: [3], values: [1, -0.5, 2 ** -14] });
  assert.deepEqual(tensor(entry(model, 'brain')), { shape: [2], values: [1, -3] });
  assert.deepEqual(tensor(entry(model, 'bn.num_batches_tracked')), { shape: [], values: [12345] });
  const groups = entry(entry(content, 'optimizer_model'), 'param_groups') as PytorchValue[];
  assert.deepEqual(entry(groups[0], 'betas'), [0.9, 0.999]);
  assert.equal(entry(entry(entry(entry(content, 'optimizer_model'), 'state'), 0), 'step'), 7);
  assert.equal(entry(content, 'big'), 2 ** 40);
  assert.equal(entry(content, 'negative'), -3);
  assert.equal(entry(content, 'text'), 'ü');
});

test('refuses to call what is not a tensor: a pickle that would run a command runs nothing', () => {
  // cos\nsystem\n(S'touch /tmp/x'\ntR. — with the text as a binary string.
  const pickle = Buffer.concat([
    Buffer.from('cposix\nsystem\n(X\x06\x00\x00\x00'),
    Buffer.from('touch '),
    Buffer.from('tR.'),
  ]);
  const place = { file: 'evil.pth', where: 'member data.pkl' };
  assert.throws(() => readPickle(pickle, everything, place), /posix\.system.*not read for safety/);
  assert.ok(readPickle(Buffer.from('cposix\nsystem\n.'), everything, place) instanceof PickleGlobal);
});

test('names an old file, another format and a damaged member', async () => {
  const path = join(folder, 'bad.pth');
  await writeFile(path, Buffer.from([0x80, 2, 0x8a, 10]));
  await assert.rejects(readPytorchFile(path), /older format: load it with PyTorch/);
  await writeFile(path, 'hello');
  await assert.rejects(readPytorchFile(path), /ZIP format of PyTorch 1\.6.*other bytes/);
  const damaged = await readFile(fixture);
  const at = damaged.indexOf(Buffer.from(new Float32Array([3, 4, 5]).buffer));
  damaged[at] = damaged[at]! ^ 1;
  await writeFile(path, damaged);
  await assert.rejects(readPytorchFile(path), /model\/data\/0: expected its checksum/);
});

test('whatever bytes come as a pickle, the reader ends with a value or a FormatError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readPickle(bytes, everything, { file: 'f', where: 'm' });
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
