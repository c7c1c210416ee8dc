import { FormatError, listed } from '../../datasets/formats/formatError.js';
import { outlinePytorchFile, readPytorchFile, type PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import type { CheckpointStage } from '../../checkpoints/manifest/manifestSchema.js';
import { isTensor, type StateDict } from './stateDict.js';
import { withNetworkNames } from './stateNames.js';
import { isResnet } from './trunk.js';

/** What a `.pth` file of the published system, or of torchvision, holds; in PyTorch's layouts and the networks' names. */
export interface PublishedFile {
  readonly kind: CheckpointStage | 'trunk';
  readonly states: StateDict;
  /** `optimizer_model`; null where there is none. */
  readonly optimizer: PytorchValue;
  /** What else is in it, and is not used. */
  readonly unused: readonly string[];
}

/** Under what a file may hold the state dict: the published system, PyTorch Lightning. */
const weightNames = ['model', 'state_dict'] as const;
const optimizerName = 'optimizer_model';

/**
 * Reads a checkpoint as the published training writes it (`{model, optimizer_model}`), as Lightning does (`{state_dict}`),
 * a state dict by itself, or torchvision's ResNet-34. Nothing in it is executed.
 *
 * @param part `model`: without the optimiser's state, which is two thirds of a file; `outline`: the model's names and shapes,
 * without values, at once.
 * @throws FormatError for anything else.
 */
export async function readPublishedFile(
  path: string,
  part: 'all' | 'model' | 'outline' = 'all',
): Promise<PublishedFile> {
  const read = part === 'outline' ? outlinePytorchFile : readPytorchFile;
  const content = await read(path, part === 'all' ? [] : [optimizerName]);
  const expected = 'a dictionary with "model" (a state dict) and perhaps "optimizer_model", or torchvision’s ResNet-34';
  if (!(content instanceof Map)) throw new FormatError({ file: path, expected, found: 'something else' });
  const named = weightNames.filter((name) => content.get(name) instanceof Map);
  if (named.length > 1) {
    throw new FormatError({ file: path, expected: 'one state dict', found: `two: ${listed(named)}` });
  }
  const [name] = named;
  const own = name === undefined ? tensorsOf(content) : (content.get(name) as StateDict);
  const states = withNetworkNames(own, path);
  const kind = kindOf(states);
  if (kind === null) {
    const names = [...(own.size > 0 ? own : content).keys()].map(String);
    throw new FormatError({ file: path, expected, found: names.length > 0 ? listed(names, 5) : 'nothing' });
  }
  const optimizer = name === undefined ? null : (content.get(optimizerName) ?? null);
  const used = name === undefined ? [...own.keys()] : [name, optimizerName];
  const unused = [...content.keys()].filter((key) => !used.includes(key)).map(String);
  return { kind, states, optimizer, unused };
}

/** A state dict by itself may have other things among its tensors: a step, a configuration. */
function tensorsOf(content: StateDict): StateDict {
  return new Map([...content].filter(([, value]) => isTensor(value)));
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
