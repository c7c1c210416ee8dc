import { z } from 'zod';
import { FormatError } from '../formats/formatError.js';
import { textOf } from '../formats/text.js';
import { manifestSchema, storedIndexSchema } from './indexSchema.js';
import type { DatasetIndex, FrameId, IndexedFrame, IndexedObject } from '../types.js';

/** A frame as it is stored: its calibrations are those of its sequence, or some of them by their keys. */
export interface StoredFrame extends Omit<IndexedFrame, 'calibrations'> {
  readonly calibrations?: readonly string[] | undefined;
}

export type IndexManifest = z.output<typeof manifestSchema>;
export type IndexedSequence = IndexManifest['splits']['train']['sequences'][number];

/** Calibrations by `S/Q`. At paper scale, a frame's own list of them would be six times the rest of it. */
export type SequenceCalibrations = Readonly<Record<string, readonly IndexedObject[]>>;

/**
 * Reads `dataset.json`: the manifest of an index in parts (version 3), or an index in one file, where calibrations are
 * listed by sequence (2) or by frame (1). Frames of a sequence share their lists in memory.
 *
 * @param file its key, for messages.
 * @throws FormatError naming the field
 */
export function parseIndex(bytes: Uint8Array, file: string): DatasetIndex | IndexManifest {
  let json: unknown;
  try {
    json = JSON.parse(textOf(bytes, file));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError({ file, expected: 'JSON', found: cause instanceof Error ? cause.message : String(cause) });
  }
  const inParts = typeof json === 'object' && json !== null && 'version' in json && json.version === 3;
  const result = (inParts ? manifestSchema : storedIndexSchema).safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = z.core.toDotPath(issue?.path ?? []) || 'the whole file';
    throw new FormatError({
      file,
      where,
      expected: 'the index of a data set',
      found: issue?.message ?? 'something else',
    });
  }
  const parsed = result.data;
  if (parsed.version !== 2) return parsed;
  const { calibrations, splits, ...rest } = parsed;
  const load = (frames: readonly StoredFrame[]) => frames.map((frame) => loadedFrame(frame, calibrations, file));
  return {
    ...rest,
    splits: { train: load(splits.train), validation: load(splits.validation), test: load(splits.test) },
  };
}

/** The calibrations that any of the frames has, by sequence, sorted by key. */
export function calibrationsOf(frames: readonly IndexedFrame[]): SequenceCalibrations {
  const found = new Map<string, Map<string, IndexedObject>>();
  for (const { id, calibrations } of frames) {
    const name = sequenceName(id);
    const sequence = found.get(name) ?? new Map<string, IndexedObject>();
    found.set(name, sequence);
    for (const object of calibrations) if (!sequence.has(object.key)) sequence.set(object.key, object);
  }
  const sorted = (sequence: ReadonlyMap<string, IndexedObject>) =>
    [...sequence.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return Object.fromEntries([...found].map(([name, sequence]) => [name, sorted(sequence)]));
}

export function storedFrame(frame: IndexedFrame, all: SequenceCalibrations): StoredFrame {
  const { calibrations, ...rest } = frame;
  const sequence = all[sequenceName(frame.id)] ?? [];
  return calibrations.length === sequence.length ? rest : { ...rest, calibrations: calibrations.map(({ key }) => key) };
}

/** @throws FormatError where a frame names a calibration that its sequence has not. */
export function loadedFrame(frame: StoredFrame, all: SequenceCalibrations, file: string): IndexedFrame {
  const { calibrations: keys, ...rest } = frame;
  const where = sequenceName(frame.id);
  const sequence = all[where];
  const problem = (expected: string) => new FormatError({ file, where, expected, found: 'none' });
  if (sequence === undefined) throw problem('calibrations of the sequence');
  if (keys === undefined) return { ...rest, calibrations: sequence };
  const calibrations = keys.map((key) => {
    const object = sequence.find((candidate) => candidate.key === key);
    if (object === undefined) throw problem(`the calibration ${key}`);
    return object;
  });
  return { ...rest, calibrations };
}

export function sequenceName({ subject, sequence }: FrameId): string {
  return `${subject}/${sequence}`;
}
