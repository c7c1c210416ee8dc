import { z } from 'zod';
import { relativeKeySchema, sha256Schema } from '../../storage/storedJson.js';
import { isPathPart } from '../formats/dataList.js';
import { splitNames } from '../types.js';

/** Names become folders and object keys: nothing that leaves them. */
const name = z.string().refine(isPathPart, 'expected a name that can be a folder');

const idSchema = z.strictObject({ subject: name, sequence: name, frame: name });

/** An object of a data set, by its key below the data set's own prefix: it cannot lead out of it. */
export const indexedObjectSchema = z.strictObject({
  key: relativeKeySchema,
  size: z.int().min(0),
  sha256: sha256Schema,
});

const frameSchema = z.strictObject({
  id: idSchema,
  images: indexedObjectSchema,
  scan: indexedObjectSchema.nullable(),
  registration: indexedObjectSchema.nullable(),
});

/** A frame of the present form: its calibrations are those of its sequence, or some of them by their keys. */
export const storedFrameSchema = frameSchema.extend({ calibrations: z.array(relativeKeySchema).optional() });

/** Calibrations by `S/Q`. */
export const sequenceCalibrationsSchema = z.record(z.string(), z.array(indexedObjectSchema));

const splitSchema = z.enum(splitNames);
export const frameProblemSchema = z.strictObject({ id: idSchema, reason: z.string() });
const leftOutSchema = z.array(frameProblemSchema.extend({ split: splitSchema }));

const indexSchema = z.strictObject({
  name,
  storedResizeFactor: z.number().positive(),
  imageExtension: z.string(),
  inPlace: z.literal(true).optional(),
  vertexCount: z.int().min(0),
  template: indexedObjectSchema.nullable(),
  vertexMasks: indexedObjectSchema.nullable(),
  unusable: leftOutSchema,
  incomplete: leftOutSchema.optional(),
});

const splits = <Frame extends z.ZodType>(frame: Frame) =>
  z.strictObject({ train: z.array(frame), validation: z.array(frame), test: z.array(frame) });

/** A sequence of a split, with the object that lists its frames (`sequencePart.ts`). */
const sequenceSchema = z.strictObject({
  subject: name,
  sequence: name,
  /** Frames that can be used. */
  frames: z.int().min(0),
  part: indexedObjectSchema,
});

const splitManifestSchema = z.strictObject({
  frames: z.int().min(0),
  /** Frames that have a registration. */
  registered: z.int().min(0),
  /** In the order in which the data list first names them. */
  sequences: z.array(sequenceSchema),
  /**
   * Where the list does not go through its sequences one by one: an object of 32-bit little-endian numbers, one a frame of
   * the list, that say the how-manieth frame of all sequences it is.
   */
  order: indexedObjectSchema.nullable(),
});

/** `dataset.json` in the present form: the frames lie in parts, one a sequence, that are read as needed. */
export const manifestSchema = indexSchema.omit({ unusable: true, incomplete: true }).extend({
  version: z.literal(3),
  /** Numbers of frames; `unusable.json` lists them. */
  unusable: z.int().min(0),
  incomplete: z.int().min(0),
  /** Size of all objects that the index leads to. */
  bytes: z.int().min(0),
  /** Names of all cameras of any frame, sorted. */
  cameras: z.array(z.string()),
  splits: z.strictObject({ train: splitManifestSchema, validation: splitManifestSchema, test: splitManifestSchema }),
});

/** `dataset.json`, in the one-file form and in that of before, where each frame lists its calibrations. */
export const storedIndexSchema = z.discriminatedUnion('version', [
  indexSchema.extend({
    version: z.literal(2),
    calibrations: sequenceCalibrationsSchema,
    splits: splits(storedFrameSchema),
  }),
  indexSchema.extend({
    version: z.literal(1),
    splits: splits(frameSchema.extend({ calibrations: z.array(indexedObjectSchema) })),
  }),
]);
