import { z } from 'zod';
import { relativeKeySchema, sha256Schema } from '../storage/storedJson.js';
import { isPathPart } from './formats/dataList.js';

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

const splitSchema = z.enum(['train', 'validation', 'test']);
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

/** `dataset.json`, in the present form and in that of before, where each frame lists its calibrations. */
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
