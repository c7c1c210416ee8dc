import { z } from 'zod';
import { addressSchema } from './address.js';
import { datasetSchema } from './dataset.js';
import { coarseModelSchema, refinementModelSchema } from './model.js';
import { supervisionSchema } from './supervision.js';
import { checkpointsSchema, stagesSchema, trainingStages } from './training.js';
import { crossFieldProblems } from './crossChecks.js';

/** Where objects live. Credentials are never here: the worker's environment or files have them. */
export const storageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('s3'),
    bucket: z.string().min(3),
    /** Before every key; empty or ending in a slash. */
    prefix: z
      .string()
      .regex(/^$|\/$/, 'empty, or ending in /')
      .default(''),
    /** null: what the worker's environment says (`AWS_ENDPOINT_URL_S3`), or AWS itself. */
    endpoint: addressSchema.nullable().default(null),
    region: z.string().default('us-east-1'),
    forcePathStyle: z.boolean().default(false),
    /** Some S3-compatible stores refuse the SDK's default checksums. */
    requestChecksums: z.enum(['always', 'when-required']).default('always'),
    /**
     * How checkpoints are kept from being overwritten by a worker that was given up. `required` (also where nothing is said):
     * a store that does not heed If-Match and If-None-Match is refused. `emulated`: such a store is taken, and the condition is looked up before each
     * put; of two workers that write in the same milliseconds, one can then replace the other's checkpoint.
     */
    conditionalPuts: z.enum(['required', 'emulated']).optional(),
  }),
  z.strictObject({ kind: z.literal('directory'), path: z.string() }),
]);

/**
 * Of the networks' arithmetic. `float32`: TensorFloat-32, which TensorFlow takes silently where a GPU has it, is off.
 * `tensorfloat32`: it is on (products of 10 binary digits; without such a GPU the same as float32). `bfloat16`: activations
 * have 8 binary digits, and half the memory where they are kept; parameters, statistics, sums and losses stay float32.
 */
export const precisionSchema = z.enum(['float32', 'tensorfloat32', 'bfloat16']);
export type Precision = z.infer<typeof precisionSchema>;

/** A whole run: data, networks, stages, services. One file of this is what `tempeh-flow start` takes. */
export const runConfigurationSchema = z
  .strictObject({
    /** All randomness derives from it, by counters. */
    seed: z.int().min(0).default(0),
    /** Bit-identical repetition, on two threads and more and on a GPU; at a cost in speed. */
    deterministic: z.boolean().default(true),
    /** Of training and predictions; checkpoints hold float32 whatever it is. */
    precision: precisionSchema.default('float32'),
    storage: storageSchema,
    dataset: datasetSchema,
    /** Which cameras the network sees. */
    viewKind: z.enum(['stereo', 'colour', 'all']).default('stereo'),
    model: z
      .strictObject({ coarse: coarseModelSchema.prefault({}), refinement: refinementModelSchema.prefault({}) })
      .prefault({}),
    training: stagesSchema.prefault({}),
    checkpoints: checkpointsSchema.prefault({}),
    loader: z
      .strictObject({
        /** Batches prepared ahead of the step. */
        prefetch: z.int().positive().default(4),
        threads: z.int().positive().default(4),
        /** Bytes of the worker's disk that cached objects may take. */
        cacheBytes: z.int().positive().default(200e9),
      })
      .prefault({}),
    predictions: z
      .strictObject({
        /** Frames a shard of the prediction cache. */
        framesPerShard: z.int().positive().default(500),
        shardsAtOnce: z.int().positive().default(8),
      })
      .prefault({}),
    supervision: supervisionSchema.prefault({}),
  })
  .superRefine((configuration, context) => {
    for (const problem of crossFieldProblems(configuration)) {
      context.addIssue({ code: 'custom', path: problem.path, message: problem.message });
    }
  });

export type StorageConfiguration = z.infer<typeof storageSchema>;
/** The resolved configuration: every default filled in. It is stored with its run. */
export type RunConfiguration = z.infer<typeof runConfigurationSchema>;
/** What a file may say: everything with a default may be left out. */
export type RunConfigurationInput = z.input<typeof runConfigurationSchema>;
export { trainingStages };
