import { z } from 'zod';

const positiveInteger = z.int().positive();
const millimetres = z.number().positive();

/** The feature net (method 2.1): a ResNet trunk of basic blocks, and a 1×1 convolution at each of its five resolutions. */
export const featureNetSchema = z.strictObject({
  /** Channels of the 7×7 stem. ResNet-34: 64. */
  stemChannels: positiveInteger.default(64),
  /** Channels of the four layers, strides 1, 2, 2, 2. ResNet-34: 64, 128, 256, 512. */
  layerChannels: z
    .tuple([positiveInteger, positiveInteger, positiveInteger, positiveInteger])
    .default([64, 128, 256, 512]),
  /** Basic blocks a layer. ResNet-34: 3, 4, 6, 3. */
  layerBlocks: z.tuple([positiveInteger, positiveInteger, positiveInteger, positiveInteger]).default([3, 4, 6, 3]),
  /** Channels F of the feature maps. */
  featureChannels: positiveInteger.default(8),
});

/**
 * A V2V network. Level i has a skip block of the width that enters it, then pools and encodes to `encoderChannels[i]`;
 * the middle block has the last width. `pooledLevels` says how many levels, from the finest, halve the resolution.
 */
const v2vSchema = (paper: { encoderChannels: number[]; pooledLevels: number; backChannels: [number, number] }) =>
  z
    .strictObject({
      /** Channels of the front convolution. */
      frontChannels: positiveInteger.default(16),
      /** Side of its kernel, odd. The published networks have 7³; on a grid of fewer voxels that is slow, and no use. */
      frontKernelSide: positiveInteger.refine((side) => side % 2 === 1, 'must be odd').default(7),
      /** Width of the three residual blocks behind it, and of the first skip. */
      baseChannels: positiveInteger.default(32),
      encoderChannels: z.array(positiveInteger).min(1).default(paper.encoderChannels),
      pooledLevels: positiveInteger.default(paper.pooledLevels),
      /** The two 1³ convolutions before the output layer. */
      backChannels: z.tuple([positiveInteger, positiveInteger]).default(paper.backChannels),
    })
    .prefault({});

const millimetrePoint = z.tuple([z.number(), z.number(), z.number()]);

/** The coarse model (method 2). */
export const coarseModelSchema = z.strictObject({
  featureNet: featureNetSchema.prefault({}),
  /** Voxels along each axis, D. */
  gridSide: positiveInteger.default(32),
  /** Distance of neighbouring voxels, mm. */
  gridSpacing: millimetres.default(25),
  /** The volume's centre in the world, mm. */
  gridOrigin: millimetrePoint.default([0, -50, 0]),
  localiser: z
    .strictObject({
      channels: positiveInteger.default(32),
      levels: positiveInteger.default(2),
      hiddenUnits: positiveInteger.default(96),
      /** The largest scale of the transformed grid, of the whole grid's. */
      scaleFactor: z.number().positive().default(0.4),
    })
    .prefault({}),
  v2v: v2vSchema({ encoderChannels: [64, 128, 128, 128, 128], pooledLevels: 5, backChannels: [64, 128] }),
});

/** The refinement model (method 3). */
export const refinementModelSchema = z.strictObject({
  featureNet: featureNetSchema.prefault({}),
  /** Voxels along each axis of the grid around every vertex. */
  gridSide: positiveInteger.default(8),
  gridSpacing: millimetres.default(2),
  /** Side of the depth rendering that decides visibility, px. */
  visibilityResolution: positiveInteger.default(200),
  v2v: v2vSchema({ encoderChannels: [64, 128, 128], pooledLevels: 2, backChannels: [32, 32] }),
});

export type FeatureNetConfiguration = z.infer<typeof featureNetSchema>;
export type V2VConfiguration = CoarseModelConfiguration['v2v'];
export type CoarseModelConfiguration = z.infer<typeof coarseModelSchema>;
export type RefinementModelConfiguration = z.infer<typeof refinementModelSchema>;
