import { z } from 'zod';

const positiveInteger = z.int().positive();
const weight = z.number().min(0);

/** The three training stages, in their order. Fine-tuning continues pre-training's step counter and parameters. */
export const trainingStages = ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const;
/** One of the three trainings of a run. */
export type TrainingStage = (typeof trainingStages)[number];

/** Parts of the networks by their settings' names. */
const partSchema = z.enum(['trunk', 'featureNet', 'localiser', 'v2v']);

/** Weights by region of the template (method 4). Vertices in no region keep weight 1. */
const regionWeights = (
  face: number,
  ears: number,
  eyeballs: number,
  eyeRegion: number,
  lips: number,
  neck: number,
  nostrils: number,
  scalp: number,
  boundary: number,
) =>
  z
    .strictObject({
      face: weight.default(face).describe('Weight of the region.'),
      ears: weight.default(ears).describe('Weight of the region.'),
      eyeballs: weight.default(eyeballs).describe('Weight of the region.'),
      eyeRegion: weight.default(eyeRegion).describe('Weight of the region.'),
      lips: weight.default(lips).describe('Weight of the region.'),
      neck: weight.default(neck).describe('Weight of the region.'),
      nostrils: weight.default(nostrils).describe('Weight of the region.'),
      scalp: weight.default(scalp).describe('Weight of the region.'),
      boundary: weight.default(boundary).describe('Weight of the region.'),
    })
    .prefault({});

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  /** Halved at 20, 40, 60 and 80 % of the iterations. */
  z.strictObject({ kind: z.literal('step') }),
  z.strictObject({
    kind: z.literal('cosine'),
    finalFactor: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('The rate at the last iteration, as a share of the first.'),
  }),
  z.strictObject({
    kind: z.literal('exponential'),
    finalFactor: z
      .number()
      .positive()
      .max(1)
      .default(0.01)
      .describe('The rate at the last iteration, as a share of the first.'),
  }),
]);

/** What every stage has; the paper's values are in famos.yaml. */
const stageSchema = (paper: {
  iterations: number;
  points: number;
  pointsToSurface: number;
  edges: number;
  pointsOnEyeballsOnly: boolean;
  lipEdges: number;
  scanPoints: number;
  imageResizeFactor: number;
  logEvery: number;
  checkpointEvery: number;
}) =>
  z.strictObject({
    iterations: positiveInteger
      .default(paper.iterations)
      .describe('The step counter’s value at which the stage ends (fine-tuning: in total, pre-training’s included).'),
    batchSize: positiveInteger.default(2).describe('Frames a step.'),
    learningRate: z
      .number()
      .positive()
      .default(1e-3)
      .describe('AdamW’s rate at the first iteration, for all but the grid localiser.'),
    localiserLearningRate: z
      .number()
      .positive()
      .default(1e-4)
      .describe('Of the grid localiser’s parameters; no schedule acts on it.'),
    schedule: scheduleSchema.default({ kind: 'constant' }).describe('How the rate falls over the iterations.'),
    weightDecay: weight.default(0.01).describe('AdamW’s decay of the weights, a step, times the rate.'),
    frozen: z
      .array(partSchema)
      .default([])
      .describe(
        'Parts that stay as they are, with their running statistics: `trunk` (the ResNet of the feature net), `featureNet` (all of it), `localiser` (of the coarse model), `v2v` (with the head).',
      ),
    gradientClipping: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('The largest global norm of the gradient; null: no clipping.'),
    losses: z
      .strictObject({
        points: weight.default(paper.points).describe('Weight of the distance of vertices to the registration’s.'),
        pointsToSurface: weight
          .default(paper.pointsToSurface)
          .describe('Weight of the distance of scan points to the predicted surface; 0: no scan is read.'),
        edges: weight.default(paper.edges).describe('Weight of the difference of edges to the registration’s.'),
        gemanMcClureSigma: z.number().positive().default(10).describe('σ of the Geman–McClure function, mm.'),
      })
      .prefault({})
      .describe('Weights of the losses (method 4).'),
    pointRegionWeights: (paper.pointsOnEyeballsOnly
      ? regionWeights(0, 0, 1, 0, 0, 0, 0, 0, 0)
      : regionWeights(1, 1, 1, 1, 1, 1, 1, 1, 1)
    ).describe('Weights of vertices in the points loss, by region of the template; no region: 1.'),
    edgeRegionWeights: regionWeights(2, 3, 50, 10, paper.lipEdges, 1, 10, 1, 10).describe(
      'Weights of edges in the edge loss, by region of the template; no region: 1.',
    ),
    scanPoints: positiveInteger.default(paper.scanPoints).describe('Scan points a sample.'),
    imageResizeFactor: positiveInteger
      .default(paper.imageResizeFactor)
      .describe('Of the sensor’s resolution: the calibration and the images are divided by it.'),
    views: z
      .strictObject({
        minimum: positiveInteger
          .default(8)
          .describe('Training draws a random subset of at least this many views; all if there are no more.'),
        random: z
          .boolean()
          .default(true)
          .describe('Draw a subset of the views for each batch; otherwise all are used.'),
      })
      .prefault({})
      .describe('Which of a frame’s views a step sees.'),
    augmentation: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Whether images are changed.'),
        scale: z
          .tuple([z.number().positive(), z.number().positive()])
          .default([0.9, 1.1])
          .describe('Smallest and largest factor by which an image is scaled.'),
        brightnessSigma: weight.default(0.33).describe('Deviation of a channel’s brightness factor from 1.'),
      })
      .prefault({})
      .describe('Random changes of the images in training (method 1).'),
    randomGridRotations: z
      .boolean()
      .default(true)
      .describe('Uniformly random rotations of the voxel grids in training.'),

    logEvery: positiveInteger.default(paper.logEvery).describe('Steps between logged losses.'),
    picturesEvery: positiveInteger.default(5000).describe('Steps between pictures for TensorBoard.'),
    validateEvery: positiveInteger.default(5000).describe('Steps between validations.'),
    checkpointEvery: positiveInteger
      .default(paper.checkpointEvery)
      .describe(
        'Steps between checkpoints: what a lost machine costs at most. Where an upload takes longer than a step, fewer lie between.',
      ),
    validationFrames: positiveInteger
      .nullable()
      .default(null)
      .describe('Validation stops after so many frames; null: the whole list.'),
    skipNonFiniteBatches: z
      .int()
      .min(0)
      .default(0)
      .describe('Batches with a non-finite loss or gradient that may be skipped (counted) before the stage stops.'),
  });

export const stagesSchema = z.strictObject({
  'coarse-pretraining': stageSchema({
    iterations: 300_000,
    points: 1,
    pointsToSurface: 0,
    edges: 0,
    pointsOnEyeballsOnly: false,
    lipEdges: 3,
    scanPoints: 20_000,
    imageResizeFactor: 8,
    logEvery: 100,
    checkpointEvery: 50_000,
  })
    .prefault({})
    .describe('The coarse model on registrations alone.'),
  'coarse-finetuning': stageSchema({
    iterations: 800_000,
    points: 1,
    pointsToSurface: 10,
    edges: 1,
    pointsOnEyeballsOnly: true,
    lipEdges: 3,
    scanPoints: 20_000,
    imageResizeFactor: 8,
    logEvery: 100,
    checkpointEvery: 50_000,
  })
    .prefault({})
    .describe('The coarse model with scans and edges; continues pre-training’s counter.'),
  refinement: stageSchema({
    iterations: 150_000,
    points: 1,
    pointsToSurface: 10,
    edges: 0.3,
    pointsOnEyeballsOnly: true,
    lipEdges: 10,
    scanPoints: 15_000,
    imageResizeFactor: 4,
    logEvery: 50,
    checkpointEvery: 5000,
  })
    .prefault({})
    .describe('The refinement model, on cached coarse predictions.'),
});

export const checkpointsSchema = z.strictObject({
  keepLast: z
    .int()
    .min(2)
    .default(2)
    .describe('The last so many are kept: at least two, for one of them may be the one being written.'),
  milestoneEvery: positiveInteger
    .nullable()
    .default(null)
    .describe('Every multiple of so many steps is kept for good; null: none.'),
  graceSeconds: z
    .number()
    .positive()
    // A day, as of the worker's own grace.
    .max(86_400)
    .default(25)
    .describe(
      'Seconds a trainer has to save when it is told to stop; what cannot be saved in time is skipped in favour of the last.',
    ),
  sweepAfterHours: z
    .number()
    .min(0)
    .default(24)
    .describe(
      'Hours that an unfinished upload of an unknown process must have lain among checkpoints and events before it is cleared away. ' +
        'What the attempt before left unfinished goes at once; a whole checkpoint is cleared away only where the manifest ' +
        'itself dropped it.',
    ),
});

/** The settings of one training. */
export type StageConfiguration = z.infer<typeof stagesSchema>[TrainingStage];
/** Weights of the loss by region of the face. */
export type RegionWeights = StageConfiguration['pointRegionWeights'];
/** How the learning rate changes over a training. */
export type ScheduleConfiguration = StageConfiguration['schedule'];
/** How training images and cameras are varied. */
export type AugmentationConfiguration = StageConfiguration['augmentation'];
/** When checkpoints are taken, and which are kept. */
export type CheckpointConfiguration = z.infer<typeof checkpointsSchema>;
