import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { FormatError } from '../formats/formatError.js';
import { parseTka } from '../formats/tka.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { frameName, framePath } from '../layout.js';
import type { FrameProblem, SequencePart } from '../index/sequencePart.js';
import type { FrameId, IndexedFrame, IndexedObject } from '../types.js';
import type { FrameReaders, ReadObject } from './frameReaders.js';
import { missingParts } from './missingParts.js';
import type { FrameTask } from './readFrame.js';
import type { FrameFiles, SequenceFiles } from './sequenceFiles.js';

export interface PackSequenceOptions {
  readonly files: SequenceFiles;
  readonly imageExtension: string;
  /** L, of the template. */
  readonly vertexCount: number;
  readonly scansExpected: boolean;
  readonly registrationsExpected: boolean;
  /** Frames at a time. */
  readonly atOnce: number;
  readonly readers: FrameReaders;
  /** Stores an object under a key below the data set's own. */
  readonly put: (key: string, bytes: Uint8Array, sha256: string) => Promise<void>;
  readonly onFrame: (id: FrameId) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Why a frame is left out. */
class Unusable extends Error {}

/** Packs the frames of a sequence, each file read once and checked; frames that cannot be used are reported with the reason. */
export async function packSequence(options: PackSequenceOptions): Promise<SequencePart> {
  const { files, atOnce, signal } = options;
  const calibrations = await packCalibrations(options);
  const frames: IndexedFrame[] = [];
  const unusable: FrameProblem[] = [];
  const incomplete: FrameProblem[] = [];
  const outcomes = await mapLimited(files.frames, atOnce, async (frame) => {
    signal?.throwIfAborted();
    try {
      return await packFrame(frame, calibrations, options);
    } catch (error) {
      if (!(error instanceof Unusable || error instanceof FormatError)) throw error;
      return { reason: error.message };
    } finally {
      options.onFrame(frame.id);
    }
  });
  for (const [i, outcome] of outcomes.entries()) {
    const { id } = files.frames[i]!;
    if ('reason' in outcome) {
      unusable.push({ id, reason: outcome.reason });
      continue;
    }
    frames.push(outcome.frame);
    if (outcome.missing.length > 0) incomplete.push({ id, reason: outcome.missing.join('; ') });
  }
  return { frames, unusable, incomplete };
}

interface PackedCalibration {
  readonly object: IndexedObject;
  readonly bytes: Uint8Array;
}

/** Each camera's calibration, or what is wrong with it. */
type PackedCalibrations = ReadonlyMap<string, PackedCalibration | FormatError>;

async function packCalibrations({ files, put }: PackSequenceOptions): Promise<PackedCalibrations> {
  const { subject, sequence } = files;
  const packed = await mapLimited(
    [...files.calibrations],
    4,
    async ([name, file]): Promise<[string, PackedCalibration | FormatError]> => {
      const bytes = await readFile(file);
      try {
        parseTka(bytes.toString('utf8'), file);
      } catch (error) {
        if (error instanceof FormatError) return [name, error];
        throw error;
      }
      const object = await store(put, `calibrations/${subject}/${sequence}/${name}.tka`, bytes);
      return [name, { object, bytes }];
    },
  );
  return new Map(packed);
}

async function packFrame(
  files: FrameFiles,
  calibrations: PackedCalibrations,
  options: PackSequenceOptions,
): Promise<{ frame: IndexedFrame; missing: readonly string[] }> {
  const { put, readers, imageExtension, vertexCount } = options;
  const { id, images, scan, registration } = files;
  const { unusable, views } = missingParts(files, [...calibrations.keys()], options);
  if (unusable !== null) throw new Unusable(unusable);
  const used: { readonly view: FrameTask['views'][number]; readonly calibration: IndexedObject }[] = [];
  for (const [name, calibration] of calibrations) {
    const image = images.get(name);
    if (image === undefined) continue;
    if (calibration instanceof FormatError) throw calibration;
    used.push({ view: { name, image, calibration: calibration.bytes }, calibration: calibration.object });
  }
  const task = { views: used.map(({ view }) => view), imageExtension, scan, registration, vertexCount };
  const frame = await readers.read(task, async (read): Promise<IndexedFrame> => {
    // Everything is read and checked before anything is stored: no object without its frame.
    if ('reason' in read) throw new Unusable(read.reason);
    const scanExtension = extname(scan ?? 'none.npy').slice(1) as 'npy' | 'ply' | 'obj';
    const objects = [
      [`images/${frameName(id)}.tar`, read.images],
      [`scans/${framePath(id, scanExtension)}`, read.scan],
      [`registrations/${framePath(id, 'ply')}`, read.registration],
    ] as const;
    const stored = await mapLimited(objects, objects.length, async ([key, object]) => {
      return object && storeRead(put, key, object);
    });
    const [imagesObject = null, scanObject = null, registrationObject = null] = stored;
    const calibrationsUsed = used.map(({ calibration }) => calibration);
    return {
      id,
      images: imagesObject!,
      calibrations: calibrationsUsed,
      scan: scanObject,
      registration: registrationObject,
    };
  });
  return { frame, missing: views };
}

/** Puts an object, and returns what the index says of it. */
export async function store(put: PackSequenceOptions['put'], key: string, bytes: Uint8Array): Promise<IndexedObject> {
  return storeRead(put, key, { bytes, sha256: hash('sha256', bytes) });
}

async function storeRead(
  put: PackSequenceOptions['put'],
  key: string,
  { bytes, sha256 }: ReadObject,
): Promise<IndexedObject> {
  await put(key, bytes, sha256);
  return { key, size: bytes.length, sha256 };
}
