import type { RunConfiguration } from '../../configs/schema/run.js';
import type { PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import { coarseLayout, refinementLayout, type TensorLayout } from '../../model/parameters/parameterLayout.js';
import type { CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import type { NamedArrays } from '../../checkpoints/safetensors.js';
import { isTensor, type StateDict } from './stateDict.js';

/** The coarse network's last convolution has a channel a vertex: how many there are is read off it. */
const vertexChannels = 'sparse_point_net.global_net.output_layer.weight';
const publishedVertexCount = 5023;

/** The tensors of the network whose state dict this is. */
export function layoutsFor(
  stage: CheckpointStage,
  model: RunConfiguration['model'],
  states: StateDict,
): TensorLayout[] {
  const output: PytorchValue | undefined = states.get(vertexChannels);
  return layouts(stage, model, isTensor(output) ? output.shape[0] : undefined);
}

/** The tensors of the network of which a checkpoint of ours is. */
export function layoutsOf(
  stage: CheckpointStage,
  model: RunConfiguration['model'],
  arrays: NamedArrays,
): TensorLayout[] {
  return layouts(stage, model, vertexCountOf(arrays));
}

/** L of a coarse model's arrays in our layout; undefined for other arrays. */
export function vertexCountOf(arrays: NamedArrays): number | undefined {
  return arrays[vertexChannels]?.shape.at(-1);
}

function layouts(
  stage: CheckpointStage,
  { coarse, refinement }: RunConfiguration['model'],
  vertexCount = publishedVertexCount,
): TensorLayout[] {
  return stage === 'refinement' ? refinementLayout(refinement) : coarseLayout(coarse, vertexCount);
}
