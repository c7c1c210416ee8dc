import { z } from 'zod';
import { datasetSchema } from './dataset.js';
import { coarseModelSchema, refinementModelSchema } from './model.js';
import { storageSchema } from './storage.js';
import { schedulingSchema } from './scheduling.js';
import { supervisionSchema } from './supervision.js';
import { checkpointsSchema, stagesSchema, trainingStages } from './training.js';
import { crossFieldProblems } from './crossChecks.js';
import { viewKindSchema } from './viewKind.js';

/**
 * Of the networks' arithmetic. `float32`: TensorFloat-32, which TensorFlow takes silently where a GPU has it, is off.
 * `tensorfloat32`: it is on (products of 10 binary digits; without such a GPU the same as float32). `bfloat16`: activations
 * have 8 binary digits, and half the memory where they are kept; parameters, statistics, sums and losses stay float32.
 */
export const precisionSchema = z.enum(['float32', 'tensorfloat32', 'bfloat16']);
/** The arithmetic of training and prediction. */
export type Precision = z.infer<typeof precisionSchema>;

/** A whole run: data, networks, stages, services. One file of this is what `tempeh-flow start` takes. */
export const runConfigurationSchema = z
  .strictObject({
    seed: z.int().min(0).default(0).describe('All randomness derives from it, by counters.'),
    deterministic: z
      .boolean()
      .default(true)
      .describe('Bit-identical repetition, on two threads and more and on a GPU; at a cost in speed.'),
    precision: precisionSchema
      .default('float32')
      .describe('Of training and predictions; checkpoints hold float32 whatever it is.'),
    threadsPerOperation: z
      .int()
      .positive()
      .optional()
      .describe(
        'Threads that share one operation of training and predictions on processors; all cores unless set. With 1, operations of a step that computes little run beside each other, which is quicker than dividing each.',
      ),
    storage: storageSchema.describe('Where all that lasts is kept: an S3 bucket, or a folder.'),
    dataset: datasetSchema.describe('The data set: where it comes from and how it is laid out.'),
    viewKind: viewKindSchema.default('stereo').describe('Which cameras the network sees.'),
    cameras: z
      .array(z.string().min(1))
      .min(2)
      .optional()
      .describe(
        'Cameras that the network sees, by their names, whatever viewKind says; all of that kind where none are named.',
      ),
    viewsAtMost: z
      .int()
      .min(2)
      .optional()
      .describe(
        'Views a frame at most: the same ones, spread evenly over the cameras, for predictions and validation; of a training step so many are drawn at most.',
      ),
    model: z
      .strictObject({
        coarse: coarseModelSchema.prefault({}).describe('The coarse model (method 2).'),
        refinement: refinementModelSchema.prefault({}).describe('The refinement model (method 3).'),
      })
      .prefault({})
      .describe('The two networks.'),
    training: stagesSchema.prefault({}).describe('The three training stages.'),
    checkpoints: checkpointsSchema.prefault({}).describe('Which checkpoints are kept.'),
    loader: z
      .strictObject({
        prefetch: z.int().positive().default(4).describe('Batches prepared ahead of the step.'),
        threads: z.int().positive().default(4).describe('Loader threads a trainer.'),
        decodedBytes: z
          .int()
          .min(0)
          .default(256 * 2 ** 20)
          .describe(
            'Bytes of memory that each loader thread may take to keep a training list decoded, where all of it fits: each frame is then decoded and resized once.',
          ),
        cacheBytes: z
          .int()
          .positive()
          .default(200e9)
          .describe(
            'Bytes of a GPU worker’s disk that cached objects of all runs may take, where its owner does not say so (worker gpu --cache-bytes).',
          ),
      })
      .prefault({})
      .describe('How batches are prepared.'),
    predictions: z
      .strictObject({
        framesPerShard: z
          .int()
          .positive()
          .default(500)
          .describe('Frames a shard of predictions, and of the evaluation.'),
        shardsAtOnce: z
          .int()
          .positive()
          .default(8)
          .describe(
            'Shards that are given to workers side by side: of predictions to GPU workers, of the evaluation to data workers.',
          ),
      })
      .prefault({})
      .describe('How frames are shared out for prediction and evaluation.'),
    scheduling: schedulingSchema.prefault({}).describe('Whose turn it is where runs share workers.'),
    supervision: supervisionSchema.prefault({}).describe('When something that is silent counts as lost.'),
  })
  .superRefine((configuration, context) => {
    for (const problem of crossFieldProblems(configuration)) {
      context.addIssue({ code: 'custom', path: problem.path, message: problem.message });
    }
  });

/** The resolved configuration: every default filled in. It is stored with its run. */
export type RunConfiguration = z.infer<typeof runConfigurationSchema>;
/** What a file may say: everything with a default may be left out. */
export type RunConfigurationInput = z.input<typeof runConfigurationSchema>;
export { trainingStages };
