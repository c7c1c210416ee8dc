import type {
  CoarseModelConfiguration,
  FeatureNetConfiguration,
  RefinementModelConfiguration,
  V2VConfiguration,
} from '../../configs/schema/model.js';

/** How a tensor starts when nothing is loaded into it (method 2.4 and 2.5; initialise.ts draws the numbers). */
export type Start =
  | { readonly kind: 'constant'; readonly values: readonly number[] }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'uniform'; readonly bound: number };

/**
 * One tensor of a network: its published name, and how it is laid out here and there. PyTorch puts channels first; we
 * put them last, which is what the kernels want:
 *
 *   ours = reshape(transpose(reshape(published, publishedView), axes), shape).
 */
export interface TensorLayout {
  readonly name: string;
  /** `counter` is BatchNorm's `num_batches_tracked`, an integer. */
  readonly role: 'parameter' | 'statistic' | 'counter';
  readonly shape: readonly number[];
  readonly publishedShape: readonly number[];
  readonly publishedView: readonly number[];
  /** Axis of `publishedView` that each axis of ours (before the last reshape) is. */
  readonly axes: readonly number[];
  readonly start: Start;
}

/** All tensors of the coarse model, in the order of the published state dict. @param vertexCount L */
export function coarseLayout(configuration: CoarseModelConfiguration, vertexCount: number): TensorLayout[] {
  const { featureNet, v2v, gridSide, localiser } = configuration;
  const input = 2 * featureNet.featureChannels;
  return [
    ...featureNetLayout(featureNet),
    ...v2vLayout('sparse_point_net.global_net', v2v, input, vertexCount),
    // Runs that were started before there was a choice do not name it.
    ...(localiser.enabled === false
      ? []
      : localiserLayout('sparse_point_net.grid_refiner', localiser, input, gridSide)),
  ];
}

/** All tensors of the refinement model, in the order of the published state dict. */
export function refinementLayout(configuration: RefinementModelConfiguration): TensorLayout[] {
  const { featureNet, v2v } = configuration;
  const input = 2 * featureNet.featureChannels + 3;
  return [...featureNetLayout(featureNet), ...v2vLayout('local_densify_net.local_net', v2v, input, 1)];
}

/** Whether a parameter belongs to the grid localiser, which has a learning rate of its own (method 4). */
export function isLocaliserParameter(name: string): boolean {
  return name.startsWith('sparse_point_net.grid_refiner.');
}

/** Whether a tensor belongs to the feature net, with which refinement starts from the coarse model (method 3.1). */
export function isFeatureNetTensor(name: string): boolean {
  return name.startsWith('feature_net.');
}

/** Before the names of torchvision's ResNet-34, which the feature net's trunk is. */
export const trunkPrefix = 'feature_net.model.resnet34_32s.';

/** Whether a tensor belongs to the trunk, which starts from one that was trained on ImageNet (method 2.1). */
export function isTrunkTensor(name: string): boolean {
  return name.startsWith(trunkPrefix);
}

function featureNetLayout({
  stemChannels,
  layerChannels,
  layerBlocks,
  featureChannels,
}: FeatureNetConfiguration): TensorLayout[] {
  const layouts = [
    ...trunkConvolution(`${trunkPrefix}conv1`, 3, stemChannels, 7),
    ...normalization(`${trunkPrefix}bn1`, stemChannels),
  ];
  let entering = stemChannels;
  for (const [layer, channels] of layerChannels.entries()) {
    for (let block = 0; block < layerBlocks[layer]!; block++) {
      const name = `${trunkPrefix}layer${layer + 1}.${block}`;
      layouts.push(
        ...trunkConvolution(`${name}.conv1`, entering, channels, 3),
        ...normalization(`${name}.bn1`, channels),
        ...trunkConvolution(`${name}.conv2`, channels, channels, 3),
        ...normalization(`${name}.bn2`, channels),
      );
      if (block === 0 && (layer > 0 || entering !== channels)) {
        layouts.push(
          ...trunkConvolution(`${name}.downsample.0`, entering, channels, 1),
          ...normalization(`${name}.downsample.1`, channels),
        );
      }
      entering = channels;
    }
  }
  for (const [skip, channels] of [stemChannels, ...layerChannels].entries()) {
    const name = `feature_net.model.skip${skip + 1}`;
    const start: Start = { kind: 'uniform', bound: 1 / Math.sqrt(channels) };
    layouts.push(convolution(`${name}.weight`, channels, featureChannels, 1, 2, start));
    layouts.push(vector(`${name}.bias`, 'parameter', featureChannels, start));
  }
  return layouts;
}

/** Kaiming normal over the outgoing fan, as torchvision starts its ResNets from scratch. */
function trunkConvolution(name: string, input: number, output: number, side: number): TensorLayout[] {
  const start: Start = { kind: 'normal', deviation: Math.sqrt(2 / (output * side ** 2)) };
  return [convolution(`${name}.weight`, input, output, side, 2, start)];
}

function v2vLayout(prefix: string, configuration: V2VConfiguration, input: number, output: number): TensorLayout[] {
  const { frontChannels, frontKernelSide, baseChannels, encoderChannels, pooledLevels, backChannels } = configuration;
  const layouts = [
    ...convolutionBlock(`${prefix}.front_layers.0`, input, frontChannels, frontKernelSide),
    ...residualBlock(`${prefix}.front_layers.1`, frontChannels, baseChannels),
    ...residualBlock(`${prefix}.front_layers.2`, baseChannels, baseChannels),
    ...residualBlock(`${prefix}.front_layers.3`, baseChannels, baseChannels),
  ];
  const entering = [baseChannels, ...encoderChannels];
  const deepest = encoderChannels[encoderChannels.length - 1]!;
  const inside = `${prefix}.encoder_decoder`;
  const levels = encoderChannels.map((channels, i) => ({ level: i + 1, channels, entering: entering[i]! }));
  const upwards = [...levels].reverse();
  for (const { level, channels, entering } of levels) {
    if (level > pooledLevels && channels !== entering) {
      throw new Error(
        `v2v.encoderChannels[${level - 1}] is ${channels}, but ${entering} enter that level and it is not pooled ` +
          `(pooledLevels is ${pooledLevels}): nothing leads back to ${entering}. Give it ${entering} channels.`,
      );
    }
    layouts.push(...residualBlock(`${inside}.encoder_res${level}`, entering, channels));
  }
  layouts.push(...residualBlock(`${inside}.mid_res`, deepest, deepest));
  for (const { level, channels } of upwards)
    layouts.push(...residualBlock(`${inside}.decoder_res${level}`, channels, channels));
  for (const { level, channels, entering } of upwards) {
    if (level <= pooledLevels) layouts.push(...upsampling(`${inside}.decoder_upsample${level}`, channels, entering));
  }
  for (const { level, entering } of levels)
    layouts.push(...residualBlock(`${inside}.skip_res${level}`, entering, entering));
  return [
    ...layouts,
    ...residualBlock(`${prefix}.back_layers.0`, baseChannels, baseChannels),
    ...convolutionBlock(`${prefix}.back_layers.1`, baseChannels, backChannels[0], 1),
    ...convolutionBlock(`${prefix}.back_layers.2`, backChannels[0], backChannels[1], 1),
    ...xavierConvolution(`${prefix}.output_layer`, backChannels[1], output, 1),
  ];
}

function convolutionBlock(name: string, input: number, output: number, side: number): TensorLayout[] {
  return [...xavierConvolution(`${name}.block.0`, input, output, side), ...normalization(`${name}.block.1`, output)];
}

function residualBlock(name: string, input: number, output: number): TensorLayout[] {
  const layouts = [
    ...xavierConvolution(`${name}.res_branch.0`, input, output, 3),
    ...normalization(`${name}.res_branch.1`, output),
    ...xavierConvolution(`${name}.res_branch.3`, output, output, 3),
    ...normalization(`${name}.res_branch.4`, output),
  ];
  if (input === output) return layouts;
  return [
    ...layouts,
    ...xavierConvolution(`${name}.skip_con.0`, input, output, 1),
    ...normalization(`${name}.skip_con.1`, output),
  ];
}

function upsampling(name: string, input: number, output: number): TensorLayout[] {
  const publishedShape = [input, output, 2, 2, 2];
  const weight: TensorLayout = {
    name: `${name}.block.0.weight`,
    role: 'parameter',
    shape: [2, 2, 2, output, input],
    publishedShape,
    publishedView: publishedShape,
    axes: [2, 3, 4, 1, 0],
    start: xavier(input, output, 2),
  };
  const bias = vector(`${name}.block.0.bias`, 'parameter', output, constant(0, output));
  return [weight, bias, ...normalization(`${name}.block.1`, output)];
}

function xavier(input: number, output: number, side: number): Start {
  return { kind: 'normal', deviation: Math.sqrt(2 / ((input + output) * side ** 3)) };
}

function xavierConvolution(name: string, input: number, output: number, side: number): TensorLayout[] {
  return [
    convolution(`${name}.weight`, input, output, side, 3, xavier(input, output, side)),
    vector(`${name}.bias`, 'parameter', output, constant(0, output)),
  ];
}

function localiserLayout(
  prefix: string,
  localiser: CoarseModelConfiguration['localiser'],
  input: number,
  gridSide: number,
): TensorLayout[] {
  const { channels, levels, hiddenUnits } = localiser;
  const layouts: TensorLayout[] = [];
  for (let level = 0; level < levels; level++) {
    const name = `${prefix}.localization.${4 * level}`;
    const entering = level === 0 ? input : channels;
    layouts.push(
      convolution(`${name}.weight`, entering, channels, 3, 3, { kind: 'normal', deviation: 0.001 }),
      vector(`${name}.bias`, 'parameter', channels, constant(0, channels)),
      ...normalization(`${prefix}.localization.${4 * level + 1}`, channels),
    );
  }
  const side = gridSide / 2 ** levels;
  const flat = channels * side ** 3;
  const start: Start = { kind: 'uniform', bound: 1 / Math.sqrt(flat) };
  const [first, last] = [`${prefix}.mapping.0`, `${prefix}.mapping.2`];
  return [
    ...layouts,
    {
      // Its input is flattened channels first there and channels last here.
      name: `${first}.weight`,
      role: 'parameter',
      shape: [flat, hiddenUnits],
      publishedShape: [hiddenUnits, flat],
      publishedView: [hiddenUnits, channels, side ** 3],
      axes: [2, 1, 0],
      start,
    },
    vector(`${first}.bias`, 'parameter', hiddenUnits, start),
    {
      name: `${last}.weight`,
      role: 'parameter',
      shape: [hiddenUnits, 12],
      publishedShape: [12, hiddenUnits],
      publishedView: [12, hiddenUnits],
      axes: [1, 0],
      start: constant(0, 12 * hiddenUnits),
    },
    // Scales near their largest value, the identity rotation, no translation.
    vector(`${last}.bias`, 'parameter', 12, { kind: 'constant', values: [3, 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0] }),
  ];
}

function convolution(
  name: string,
  input: number,
  output: number,
  side: number,
  dimensions: 2 | 3,
  start: Start,
): TensorLayout {
  const sides = Array<number>(dimensions).fill(side);
  const publishedShape = [output, input, ...sides];
  const axes = [...sides.map((_, i) => i + 2), 1, 0];
  return {
    name,
    role: 'parameter',
    shape: [...sides, input, output],
    publishedShape,
    publishedView: publishedShape,
    axes,
    start,
  };
}

function normalization(name: string, channels: number): TensorLayout[] {
  return [
    vector(`${name}.weight`, 'parameter', channels, constant(1, channels)),
    vector(`${name}.bias`, 'parameter', channels, constant(0, channels)),
    vector(`${name}.running_mean`, 'statistic', channels, constant(0, channels)),
    vector(`${name}.running_var`, 'statistic', channels, constant(1, channels)),
    {
      name: `${name}.num_batches_tracked`,
      role: 'counter',
      shape: [],
      publishedShape: [],
      publishedView: [],
      axes: [],
      start: constant(0, 1),
    },
  ];
}

function vector(name: string, role: TensorLayout['role'], length: number, start: Start): TensorLayout {
  return { name, role, shape: [length], publishedShape: [length], publishedView: [length], axes: [0], start };
}

function constant(value: number, count: number): Start {
  return { kind: 'constant', values: Array<number>(count).fill(value) };
}
