import fc, { type Arbitrary } from 'fast-check';
import { writeTar } from '../../../datasets/formats/archives/tar.js';
import { damaged, jsonLike, numbers } from './bytes.js';
import { asBytes, fileOf, lineByLine } from './lines.js';

const tka = fileOf('test/golden/data/calibrations/subject_000/seq_a/00_A.tka');
export const tkaFiles = asBytes(lineByLine(tka, [...numbers, '=', 'X', 'is = 0 0', 'D = 1 2', '   ']));

const names = fc.oneof(
  fc.constantFrom('s', 'q', '000001', '..', 'a/b', '', '\u202e', 'é'),
  fc.string({ maxLength: 5 }),
);
export const dataLists = asBytes(
  fc.oneof(
    fc.array(fc.tuple(names, names, names), { maxLength: 8 }).map((list) => JSON.stringify(list)),
    jsonLike([
      ['s', 'q', '1'],
      ['s', 'q', '2'],
    ]),
  ),
);

const tar = writeTar([
  { name: '00_A.png', bytes: Buffer.from('an image') },
  { name: 'q.1.01_A.png', bytes: Buffer.alloc(600, 1) },
  { name: '00_A.tka', bytes: Buffer.from(tka) },
]);
/** Archives whose headers are changed, most of them under right checksums. */
export const tarFiles: Arbitrary<Buffer> = fc
  .tuple(damaged(fc.constant(tar)), fc.boolean())
  .map(([bytes, isRepaired]) => (isRepaired ? repaired(bytes) : bytes));

function repaired(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const head = bytes.subarray(at, at + 512);
    if (head.toString('latin1', 257, 262) !== 'ustar') continue;
    head.fill(' ', 148, 156);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return bytes;
}
