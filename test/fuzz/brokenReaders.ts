import fc from 'fast-check';
import type { FuzzedReader } from './readers.js';

/** Readers with faults of each kind that fuzzing is to find: `fuzz.test.ts` holds that it does. */
export const fuzzedReaders: readonly FuzzedReader[] = [
  {
    name: 'throws',
    inputs: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    read: (bytes) => {
      if (bytes.length > 9) throw new TypeError('of undefined');
    },
  },
  {
    name: 'floods',
    inputs: fc.constant(Buffer.from('small')),
    read: () => new Uint8Array(300e6).fill(1),
  },
  {
    name: 'hangs',
    inputs: fc.constantFrom(Buffer.from('stuck')),
    read: () => {
      for (;;);
    },
  },
];

export const typedErrors = [RangeError];
