import { z } from 'zod';
import { readStored, StoredObjectInvalid } from '../../storage/storedJson.js';
import type { ObjectStore } from '../../storage/types.js';
import { FormatError } from '../formats/formatError.js';
import { frameProblemSchema, sequenceCalibrationsSchema, storedFrameSchema } from '../indexSchema.js';
import { calibrationsOf, loadedFrame, storedFrame, type SequenceCalibrations, type StoredFrame } from '../indexFile.js';
import type { IndexedFrame, Split } from '../types.js';
import type { PackedSequence } from './packSequence.js';

/**
 * `parts/SPLIT/S/Q.json`: what was packed of a sequence, written after its objects. A later call, on another worker too,
 * takes it over as long as the files on the disk are the same and the objects are there.
 */
interface SequencePart extends Omit<PackedSequence, 'frames'> {
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

export function writePart(fingerprint: string, { frames, ...rest }: PackedSequence): SequencePart {
  const calibrations = calibrationsOf(frames);
  const stored = frames.map((frame) => storedFrame(frame, calibrations));
  return { version: 2, fingerprint, calibrations, frames: stored, ...rest };
}

/** null where there is none, or it is of other files or another form, or objects that it names are gone. */
export async function findPart(
  store: ObjectStore,
  prefix: string,
  key: string,
  fingerprint: string,
  { sizes, inPlace }: { readonly sizes: ReadonlyMap<string, number>; readonly inPlace: boolean },
): Promise<PackedSequence | null> {
  if (!sizes.has(key)) return null;
  let part: z.infer<typeof partSchema> | null;
  let frames: IndexedFrame[];
  try {
    part = await readStored(store, `${prefix}/${key}`, { schema: partSchema });
    if (part === null || part.fingerprint !== fingerprint) return null;
    const { calibrations } = part;
    frames = part.frames.map((frame) => loadedFrame(frame, calibrations, key));
  } catch (error) {
    if (error instanceof StoredObjectInvalid || error instanceof FormatError) return null;
    throw error;
  }
  const { unusable, incomplete } = part;
  const isThere = (frame: IndexedFrame) => objectsOf(frame).every(({ key, size }) => sizes.get(key) === size);
  return inPlace || frames.every(isThere) ? { frames, unusable, incomplete } : null;
}

/** All objects of a frame. */
export function objectsOf({ images, calibrations, scan, registration }: IndexedFrame) {
  return [images, ...calibrations, scan, registration].filter((object) => object !== null);
}
