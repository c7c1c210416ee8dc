import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseStored, StoredObjectInvalid } from '../../storage/storedJson.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { FormatError } from '../formats/formatError.js';
import type { FrameId, IndexedFrame, IndexedObject, Split } from '../types.js';
import { calibrationsOf, loadedFrame, storedFrame, type SequenceCalibrations, type StoredFrame } from './indexFile.js';
import { frameProblemSchema, sequenceCalibrationsSchema, storedFrameSchema } from './indexSchema.js';
import { objectsOf } from './packedIndex.js';

/** A frame, and what is wrong with it. */
export interface FrameProblem {
  readonly id: FrameId;
  readonly reason: string;
}

/** What was packed of a sequence. */
export interface SequencePart {
  readonly frames: readonly IndexedFrame[];
  readonly unusable: readonly FrameProblem[];
  /** Packed, but some cameras' images or calibrations are not there. */
  readonly incomplete: readonly FrameProblem[];
}

/**
 * `parts/SPLIT/S/Q.json`, written after its objects: a part of the index. A later call of packing, on another worker too,
 * takes it over as long as the files on the disk are the same and the objects are there.
 */
interface StoredPart extends Omit<SequencePart, 'frames'> {
  readonly version: 2;
  readonly fingerprint: string;
  readonly calibrations: SequenceCalibrations;
  readonly frames: readonly StoredFrame[];
}

const partSchema = z.object({
  version: z.literal(2),
  fingerprint: z.string(),
  calibrations: sequenceCalibrationsSchema,
  frames: z.array(storedFrameSchema),
  unusable: z.array(frameProblemSchema),
  incomplete: z.array(frameProblemSchema),
});

export function partKey(split: Split, subject: string, sequence: string): string {
  return `parts/${split}/${subject}/${sequence}.json`;
}

export function writePart(fingerprint: string, { frames, ...rest }: SequencePart): Buffer {
  const calibrations = calibrationsOf(frames);
  const stored = frames.map((frame) => storedFrame(frame, calibrations));
  const part: StoredPart = { version: 2, fingerprint, calibrations, frames: stored, ...rest };
  return Buffer.from(JSON.stringify(part));
}

/** @throws FormatError naming the field. */
export function parsePart(bytes: Uint8Array, file: string): SequencePart & { readonly fingerprint: string } {
  try {
    const { fingerprint, calibrations, frames, unusable, incomplete } = parseStored(bytes, file, {
      schema: partSchema,
    });
    return { fingerprint, frames: frames.map((one) => loadedFrame(one, calibrations, file)), unusable, incomplete };
  } catch (cause) {
    if (!(cause instanceof StoredObjectInvalid)) throw cause;
    throw new FormatError({ file, expected: 'the frames of a sequence', found: cause.message });
  }
}

/** null where there is none, or it is of other files or another form, or objects that it names are gone. */
export async function findPart(
  store: ObjectStore,
  prefix: string,
  key: string,
  fingerprint: string,
  { sizes, inPlace }: { readonly sizes: ReadonlyMap<string, number>; readonly inPlace: boolean },
): Promise<{ readonly sequence: SequencePart; readonly object: IndexedObject } | null> {
  if (!sizes.has(key)) return null;
  try {
    const { body } = await store.get(`${prefix}/${key}`);
    const part = parsePart(body, key);
    if (part.fingerprint !== fingerprint) return null;
    const { frames, unusable, incomplete } = part;
    const isThere = (frame: IndexedFrame) => objectsOf(frame).every(({ key, size }) => sizes.get(key) === size);
    if (!inPlace && !frames.every(isThere)) return null;
    const sha256 = hash('sha256', body);
    return { sequence: { frames, unusable, incomplete }, object: { key, size: body.length, sha256 } };
  } catch (error) {
    if (error instanceof FormatError || error instanceof ObjectNotFound) return null;
    throw error;
  }
}
