import { z } from 'zod';

const positiveInteger = z.int().positive();
const millimetres = z.number().positive();

/** The feature net (method 2.1): a ResNet trunk of basic blocks, and a 1×1 convolution at each of its five resolutions. */
const featureNetSchema = z.strictObject({
  stemChannels: positiveInteger.default(64).describe('Channels of the 7×7 stem. ResNet-34: 64.'),
  layerChannels: z
    .tuple([positiveInteger, positiveInteger, positiveInteger, positiveInteger])
    .default([64, 128, 256, 512])
    .describe('Channels of the four layers, strides 1, 2, 2, 2. ResNet-34: 64, 128, 256, 512.'),
  layerBlocks: z
    .tuple([positiveInteger, positiveInteger, positiveInteger, positiveInteger])
    .default([3, 4, 6, 3])
    .describe('Basic blocks a layer. ResNet-34: 3, 4, 6, 3.'),
  featureChannels: positiveInteger.default(8).describe('Channels F of the feature maps.'),
});

/**
 * A V2V network. Level i has a skip block of the width that enters it, then pools and encodes to `encoderChannels[i]`;
 * the middle block has the last width. `pooledLevels` says how many levels, from the finest, halve the resolution.
 */
const v2vSchema = (paper: { encoderChannels: number[]; pooledLevels: number; backChannels: [number, number] }) =>
  z
    .strictObject({
      frontChannels: positiveInteger.default(16).describe('Channels of the front convolution.'),
      frontKernelSide: positiveInteger
        .refine((side) => side % 2 === 1, 'must be odd')
        .default(7)
        .describe(
          'Side of its kernel, odd. The published networks have 7³; on a grid of fewer voxels that is slow, and no use.',
        ),
      baseChannels: positiveInteger
        .default(32)
        .describe('Width of the three residual blocks behind it, and of the first skip.'),
      encoderChannels: z
        .array(positiveInteger)
        .min(1)
        .default(paper.encoderChannels)
        .describe('Width of each level’s encoder, from the finest.'),
      pooledLevels: positiveInteger
        .default(paper.pooledLevels)
        .describe('How many levels, from the finest, halve the grid’s resolution.'),
      backChannels: z
        .tuple([positiveInteger, positiveInteger])
        .default(paper.backChannels)
        .describe('The two 1³ convolutions before the output layer.'),
    })
    .prefault({});

/** What the feature net's trunk starts with (method 2.1). */
const trunkSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('imagenet'),
    file: z
      .string()
      .min(1)
      .describe(
        'Of `imagenet`: torchvision’s ResNet-34 (resnet34-b627a593.pth) on the machine that starts the run; a bare name is looked for where torchvision keeps its files, too.',
      ),
  }),
  z.strictObject({ kind: z.literal('random') }),
  z.strictObject({
    kind: z.literal('checkpoint'),
    from: z
      .string()
      .min(1)
      .describe(
        'Of `checkpoint`: a published checkpoint (.pth) on the machine that starts the run, or RUN/STAGE[@STEP] of its store (coarse, refinement).',
      ),
  }),
]);

const millimetrePoint = z.tuple([z.number(), z.number(), z.number()]);

/** The coarse model (method 2). */
export const coarseModelSchema = z.strictObject({
  featureNet: featureNetSchema
    .prefault({})
    .describe(
      'The feature net (method 2.1); both models’ must be equal, for refinement starts from the coarse model’s.',
    ),
  trunk: trunkSchema
    .default({ kind: 'random' })
    .describe(
      'What the trunk starts with. `imagenet`: a network trained on ImageNet, as in the paper; `checkpoint`: that of a trained model; `random`: random weights, or what `import-checkpoint` brought into the run.',
    ),
  gridSide: positiveInteger.default(32).describe('Voxels along each axis, D.'),
  gridSpacing: millimetres.default(25).describe('Distance of neighbouring voxels, mm.'),
  gridOrigin: millimetrePoint.default([0, -50, 0]).describe('The volume’s centre in the world, mm.'),
  localiser: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether there is one. Without it the V2V network sees the grid where it lies at first, in its full size: an ablation.',
        ),
      channels: positiveInteger.default(32).describe('Channels of its convolutions.'),
      levels: positiveInteger.default(2).describe('How many times its grid is halved.'),
      hiddenUnits: positiveInteger.default(96).describe('Units of its hidden layer.'),
      scaleFactor: z
        .number()
        .positive()
        .default(0.4)
        .describe('The largest scale of the transformed grid, of the whole grid’s.'),
    })
    .prefault({})
    .describe('The grid localiser (method 2.4), which puts the grid where the head is.'),
  v2v: v2vSchema({ encoderChannels: [64, 128, 128, 128, 128], pooledLevels: 5, backChannels: [64, 128] }).describe(
    'The volumetric encoder–decoder (method 2.5, 3.5).',
  ),
});

/** The refinement model (method 3). */
export const refinementModelSchema = z.strictObject({
  featureNet: featureNetSchema
    .prefault({})
    .describe(
      'The feature net (method 2.1); both models’ must be equal, for refinement starts from the coarse model’s.',
    ),
  gridSide: positiveInteger.default(8).describe('Voxels along each axis of the grid around every vertex.'),
  gridSpacing: millimetres.default(2).describe('Distance of neighbouring voxels, mm.'),
  fusion: z
    .enum(['surface-aware', 'mean'])
    .default('surface-aware')
    .describe(
      'How views are fused around a vertex: `surface-aware` weighs each by how it sees the surface (method 3.4), `mean` weighs all alike, as the coarse model does: an ablation.',
    ),
  visibilityResolution: positiveInteger
    .default(200)
    .describe('Side of the depth rendering that decides visibility, px.'),
  v2v: v2vSchema({ encoderChannels: [64, 128, 128], pooledLevels: 2, backChannels: [32, 32] }).describe(
    'The volumetric encoder–decoder (method 2.5, 3.5).',
  ),
});

/** The network that turns an image into features (method 2.1). */
export type FeatureNetConfiguration = z.infer<typeof featureNetSchema>;
/** A network from volumes to volumes. */
export type V2VConfiguration = CoarseModelConfiguration['v2v'];
/** The coarse model (method 2). */
export type CoarseModelConfiguration = z.infer<typeof coarseModelSchema>;
/** The refinement model (method 3). */
export type RefinementModelConfiguration = z.infer<typeof refinementModelSchema>;
