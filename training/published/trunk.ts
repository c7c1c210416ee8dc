import type { PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import { trunkPrefix, isTrunkTensor, type TensorLayout } from '../../model/parameters/parameterLayout.js';
import { keys } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import type { NamedArray, NamedArrays } from '../../checkpoints/safetensors.js';
import { decodeModel } from '../../checkpoints/reading/trainingState.js';
import { fromStateDict, type StateDict } from './stateDict.js';

/** Whether this is the state dict of a ResNet as torchvision has it, by its own names. */
export function isResnet(states: StateDict): boolean {
  return states.has('conv1.weight') && states.has('layer1.0.conv1.weight');
}

/**
 * The feature net's trunk from torchvision's ResNet-34. Its classifier (`fc.…`) is left out; counters of batches, which
 * older files lack, start at 0.
 *
 * @param layouts of the coarse model.
 * @param problems as in `fromStateDict`.
 */
export function fromResnet(
  layouts: readonly TensorLayout[],
  states: StateDict,
  problems: string[],
): Record<string, NamedArray> {
  const trunk = layouts.filter(({ name }) => isTrunkTensor(name));
  const renamed = new Map<string, PytorchValue>();
  for (const [name, value] of states) renamed.set(`${trunkPrefix}${name}`, value);
  for (const name of renamed.keys()) if (name.startsWith(`${trunkPrefix}fc.`)) renamed.delete(name);
  for (const { name, role } of trunk) {
    if (role === 'counter' && !renamed.has(name)) renamed.set(name, { shape: [], values: new Float32Array(1) });
  }
  return fromStateDict(trunk, renamed, problems);
}

/** The trunk that was imported into a run; null if there is none. */
export async function loadTrunk(
  store: ObjectStore,
  run: string,
): Promise<{ readonly key: string; readonly arrays: NamedArrays } | null> {
  const key = keys.trunk(run);
  try {
    const { body } = await store.get(key);
    return { key, arrays: decodeModel(body, key) };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw cause;
  }
}
