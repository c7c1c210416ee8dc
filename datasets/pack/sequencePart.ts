import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import type { IndexedFrame, Split } from '../types.js';
import type { PackedSequence } from './packSequence.js';

/**
 * `parts/SPLIT/S/Q.json`: what was packed of a sequence, written after its objects. A later call, on another worker too,
 * takes it over as long as the files on the disk are the same and the objects are there.
 */
export interface SequencePart extends PackedSequence {
  readonly version: 1;
  readonly fingerprint: string;
}

export function partKey(split: Split, subject: string, sequence: string): string {
  return `parts/${split}/${subject}/${sequence}.json`;
}

/** null where there is none, or it is of other files, or objects that it names are gone. */
export async function findPart(
  store: ObjectStore,
  prefix: string,
  key: string,
  fingerprint: string,
  sizes: ReadonlyMap<string, number>,
): Promise<PackedSequence | null> {
  if (!sizes.has(key)) return null;
  let part: SequencePart;
  try {
    const { body } = await store.get(`${prefix}/${key}`);
    part = JSON.parse(Buffer.from(body).toString('utf8')) as SequencePart;
  } catch (error) {
    if (error instanceof ObjectNotFound || error instanceof SyntaxError) return null;
    throw error;
  }
  if (part.version !== 1 || part.fingerprint !== fingerprint) return null;
  return part.frames.every((frame) => objectsOf(frame).every(({ key, size }) => sizes.get(key) === size)) ? part : null;
}

/** All objects of a frame. */
export function objectsOf({ images, calibrations, scan, registration }: IndexedFrame) {
  return [images, ...calibrations, scan, registration].filter((object) => object !== null);
}
