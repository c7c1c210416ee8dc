import { FormatError } from '../../datasets/formats/formatError.js';
import { readPytorchFile, type PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import type { CheckpointStage } from '../../checkpoints/manifest.js';
import { isTensor, type StateDict } from './stateDict.js';
import { isResnet } from './trunk.js';

/** What a `.pth` file of the published system, or of torchvision, holds; in PyTorch's names and layouts. */
export interface PublishedFile {
  readonly kind: CheckpointStage | 'trunk';
  readonly states: StateDict;
  /** `optimizer_model`; null where there is none. */
  readonly optimizer: PytorchValue;
}

/**
 * Reads a checkpoint as the published training writes it (`{model, optimizer_model}`), a state dict by itself, or
 * torchvision's ResNet-34. Nothing in it is executed.
 *
 * @param part `model`: without the optimiser's state, which is two thirds of a file.
 * @throws FormatError for anything else.
 */
export async function readPublishedFile(path: string, part: 'all' | 'model' = 'all'): Promise<PublishedFile> {
  const content = await readPytorchFile(path, part === 'model' ? ['optimizer_model'] : []);
  const expected = 'a dictionary with "model" (a state dict) and perhaps "optimizer_model", or torchvision’s ResNet-34';
  if (!(content instanceof Map)) throw new FormatError({ file: path, expected, found: 'something else' });
  const model = content.get('model');
  const states = model instanceof Map ? model : content;
  const optimizer = model instanceof Map ? (content.get('optimizer_model') ?? null) : null;
  const kind = kindOf(states);
  if (kind !== null) return { kind, states, optimizer };
  const tensors = [...states].filter(([, value]) => isTensor(value));
  const names = [...(tensors.length > 0 ? tensors : states)].slice(0, 5).map(([name]) => name);
  throw new FormatError({ file: path, expected, found: names.length > 0 ? `${names.join(', ')}, …` : 'nothing' });
}

function kindOf(states: StateDict): PublishedFile['kind'] | null {
  const has = (prefix: string): boolean => [...states.keys()].some((name) => String(name).startsWith(prefix));
  if (has('local_densify_net.')) return 'refinement';
  if (has('sparse_point_net.')) return 'coarse';
  return isResnet(states) ? 'trunk' : null;
}

/** The step in a name like `model_00300000.pth`; null in others. */
export function stepInName(path: string): number | null {
  const digits = /model_(\d+)\.pth$/.exec(path)?.[1];
  return digits === undefined ? null : Number(digits);
}
