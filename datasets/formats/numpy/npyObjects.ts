import { FormatError } from '../formatError.js';
import { readNpyHeader } from './npy.js';
import { NumpyArray, numpyVocabulary } from '../pickle/numpyVocabulary.js';
import { readPickle } from '../pickle/pickleReader.js';
import { plainVocabulary } from '../pickle/plainVocabulary.js';
import type { PickleValue, Vocabulary } from '../pickle/values.js';

/**
 * Reads a NumPy array file of Python objects (type `O`): a pickle, of which nothing is executed.
 *
 * @param known what the objects may be, beside plain data and arrays of NumPy.
 * @returns the objects of a list, in their order.
 * @throws FormatError naming file and byte
 */
export function parseNpyObjects(bytes: Uint8Array, file: string, known: readonly Vocabulary[]): readonly PickleValue[] {
  const { descriptor, shape, dataOffset } = readNpyHeader(bytes, file);
  if (!/^\|O\d?$/.test(descriptor)) {
    throw new FormatError({ file, where: 'header', expected: 'Python objects (|O)', found: descriptor });
  }
  const place = { file, where: `pickle from byte ${dataOffset}` };
  const array = readPickle(bytes.subarray(dataOffset), [...known, plainVocabulary, numpyVocabulary], place);
  const objects = array instanceof NumpyArray && array.shape.join() === shape.join() ? array.objects : null;
  if (objects !== null && shape.length === 1) return objects;
  const found = array instanceof NumpyArray ? `shape (${array.shape.join(', ')})` : 'something else';
  throw new FormatError({ file, expected: `a list of ${shape.join(' × ')} objects`, found });
}
