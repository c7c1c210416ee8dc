import { z } from 'zod';

const positiveInteger = z.int().positive();
const weight = z.number().min(0);

/** The three training stages, in their order. Fine-tuning continues pre-training's step counter and parameters. */
export const trainingStages = ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const;
export type TrainingStage = (typeof trainingStages)[number];

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
      face: weight.default(face),
      ears: weight.default(ears),
      eyeballs: weight.default(eyeballs),
      eyeRegion: weight.default(eyeRegion),
      lips: weight.default(lips),
      neck: weight.default(neck),
      nostrils: weight.default(nostrils),
      scalp: weight.default(scalp),
      boundary: weight.default(boundary),
    })
    .prefault({});

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  /** Halved at 20, 40, 60 and 80 % of the iterations. */
  z.strictObject({ kind: z.literal('step') }),
  z.strictObject({ kind: z.literal('cosine'), finalFactor: z.number().min(0).max(1).default(0) }),
  z.strictObject({ kind: z.literal('exponential'), finalFactor: z.number().positive().max(1).default(0.01) }),
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
    /** The step counter's value at which the stage ends (fine-tuning: in total, pre-training's included). */
    iterations: positiveInteger.default(paper.iterations),
    batchSize: positiveInteger.default(2),
    learningRate: z.number().positive().default(1e-3),
    /** Of the grid localiser's parameters; no schedule acts on it. */
    localiserLearningRate: z.number().positive().default(1e-4),
    schedule: scheduleSchema.default({ kind: 'constant' }),
    weightDecay: weight.default(0.01),
    /** The largest global norm of the gradient; null: no clipping. */
    gradientClipping: z.number().positive().nullable().default(null),
    losses: z
      .strictObject({
        points: weight.default(paper.points),
        pointsToSurface: weight.default(paper.pointsToSurface),
        edges: weight.default(paper.edges),
        /** σ of the Geman–McClure function, mm. */
        gemanMcClureSigma: z.number().positive().default(10),
      })
      .prefault({}),
    pointRegionWeights: paper.pointsOnEyeballsOnly
      ? regionWeights(0, 0, 1, 0, 0, 0, 0, 0, 0)
      : regionWeights(1, 1, 1, 1, 1, 1, 1, 1, 1),
    edgeRegionWeights: regionWeights(2, 3, 50, 10, paper.lipEdges, 1, 10, 1, 10),
    /** Scan points a sample. */
    scanPoints: positiveInteger.default(paper.scanPoints),
    /** Of the sensor's resolution: the calibration and the images are divided by it. */
    imageResizeFactor: positiveInteger.default(paper.imageResizeFactor),
    views: z
      .strictObject({
        /** Training draws a random subset of at least this many views; all if there are no more. */
        minimum: positiveInteger.default(8),
        random: z.boolean().default(true),
      })
      .prefault({}),
    augmentation: z
      .strictObject({
        enabled: z.boolean().default(true),
        scale: z.tuple([z.number().positive(), z.number().positive()]).default([0.9, 1.1]),
        brightnessSigma: weight.default(0.33),
      })
      .prefault({}),
    /** Uniformly random rotations of the voxel grids in training. */
    randomGridRotations: z.boolean().default(true),
    /** Scalars every so many steps, then pictures, validation, checkpoints. */
    logEvery: positiveInteger.default(paper.logEvery),
    picturesEvery: positiveInteger.default(5000),
    validateEvery: positiveInteger.default(5000),
    checkpointEvery: positiveInteger.default(paper.checkpointEvery),
    /** Validation stops after so many frames; null: the whole list. */
    validationFrames: positiveInteger.nullable().default(null),
    /** Batches with a non-finite loss or gradient that may be skipped (counted) before the stage stops. */
    skipNonFiniteBatches: z.int().min(0).default(0),
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
  }).prefault({}),
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
  }).prefault({}),
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
  }).prefault({}),
});

export const checkpointsSchema = z.strictObject({
  /** The last so many are kept: at least two, for one of them may be the one being written. */
  keepLast: z.int().min(2).default(2),
  /** Every multiple of so many steps is kept for good; null: none. */
  milestoneEvery: positiveInteger.nullable().default(null),
  /** Seconds a trainer has to save when it is told to stop; what cannot be saved in time is skipped in favour of the last. */
  graceSeconds: z.number().positive().default(25),
});

export type StageConfiguration = z.infer<typeof stagesSchema>[TrainingStage];
export type LossConfiguration = StageConfiguration['losses'];
export type RegionWeights = StageConfiguration['pointRegionWeights'];
export type ScheduleConfiguration = StageConfiguration['schedule'];
export type AugmentationConfiguration = StageConfiguration['augmentation'];
export type CheckpointConfiguration = z.infer<typeof checkpointsSchema>;
