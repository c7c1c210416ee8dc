import {
  PythonFloat,
  PythonTensor,
  PythonTuple,
  type PythonValue,
} from '../../datasets/formats/pytorch/pickleWriter.js';
import type { PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import { described } from '../../datasets/formats/formatError.js';
import { fromPublished, toPublished } from '../../model/parameters/layoutConversion.js';
import { isLocaliserParameter, type TensorLayout } from '../../model/parameters/parameterLayout.js';
import { fitting } from '../../checkpoints/reading/fitting.js';
import type { NamedArray, NamedArrays } from '../../checkpoints/safetensors.js';
import { finiteValues, isTensor, publishedTensor } from './stateDict.js';

const moments = ['exp_avg', 'exp_avg_sq'] as const;
const groupNames = ['base', 'special'] as const;
type GroupName = (typeof groupNames)[number];

/** The published groups of parameters: `special` is the grid localiser's; both in the order of the network. */
function publishedGroups(layouts: readonly TensorLayout[]): Record<GroupName, TensorLayout[]> {
  const parameters = layouts.filter(({ role }) => role === 'parameter');
  return {
    base: parameters.filter(({ name }) => !isLocaliserParameter(name)),
    special: parameters.filter(({ name }) => isLocaliserParameter(name)),
  };
}

/** AdamW's state before its first step. */
export function freshOptimizer(layouts: readonly TensorLayout[]): Record<string, NamedArray> {
  const arrays: Record<string, NamedArray> = {};
  for (const { name, shape, role } of layouts) {
    if (role !== 'parameter') continue;
    const size = shape.reduce((product, side) => product * side, 1);
    for (const moment of moments) arrays[`${name}.${moment}`] = { shape, values: new Float32Array(size) };
    arrays[`${name}.step`] = { shape: [], values: new Float32Array(1) };
  }
  return arrays;
}

/**
 * A published optimiser's state in our layouts and names. PyTorch numbers parameters: those of the group `base` in their
 * order, then those of `special`. An optimiser that has not made a step yet has no state: ours begins afresh, too.
 *
 * @param problems gets a line for each state that is missing, unexpected or misshapen.
 */
export function fromPublishedOptimizer(
  layouts: readonly TensorLayout[],
  optimizer: PytorchValue,
  problems: string[],
): Record<string, NamedArray> {
  const arrays: Record<string, NamedArray> = {};
  const states = optimizer instanceof Map ? optimizer.get('state') : undefined;
  const groups = optimizer instanceof Map ? optimizer.get('param_groups') : undefined;
  if (!(states instanceof Map) || !Array.isArray(groups)) {
    problems.push('optimizer_model: expected a dictionary with "state" and "param_groups"');
    return arrays;
  }
  const numbers = parameterNumbers(layouts, groups, problems);
  if (numbers === null) return arrays;
  if (states.size === 0) return freshOptimizer(layouts);
  for (const [number, layout] of numbers) {
    const state = states.get(number);
    const name = `optimiser state ${number} of ${layout.name}`;
    if (!(state instanceof Map)) {
      problems.push(`missing: ${name}`);
      continue;
    }
    for (const moment of moments) {
      const found = publishedTensor(state.get(moment), `${name}: ${moment}`, layout.publishedShape, problems);
      const least = moment === 'exp_avg_sq' ? 0 : -Infinity;
      const values = found && finiteValues(found, `${name}: ${moment}`, least, problems);
      if (values) arrays[`${layout.name}.${moment}`] = { shape: layout.shape, values: fromPublished(layout, values) };
    }
    const step = stepCount(state.get('step'));
    if (step === null) problems.push(`missing: ${name}: step, a number of steps`);
    else arrays[`${layout.name}.step`] = { shape: [], values: Float32Array.of(step) };
    for (const key of state.keys()) {
      if (key !== 'step' && !moments.some((moment) => moment === key)) problems.push(`unexpected: ${name}: ${key}`);
    }
  }
  for (const number of states.keys()) {
    if (typeof number !== 'number' || !numbers.has(number)) problems.push(`unexpected: optimiser state ${number}`);
  }
  return arrays;
}

/** Which parameter has which number; null where the groups are not those of this network. */
function parameterNumbers(
  layouts: readonly TensorLayout[],
  groups: readonly PytorchValue[],
  problems: string[],
): Map<number, TensorLayout> | null {
  const numbers = new Map<number, TensorLayout>();
  const before = problems.length;
  const expected = publishedGroups(layouts);
  const found = new Set<GroupName>();
  for (const [index, group] of groups.entries()) {
    // Older files may lack the names: the order is the same.
    const id = group instanceof Map ? (group.get('group_id') ?? groupNames[index]) : undefined;
    const name = groupNames.find((candidate) => candidate === id);
    const members = group instanceof Map ? group.get('params') : undefined;
    if (name === undefined || found.has(name) || !Array.isArray(members)) {
      problems.push(`unexpected: optimiser group ${index} (group_id ${described(id)}); there are base and special`);
      continue;
    }
    found.add(name);
    if (members.length !== expected[name].length) {
      const [is, should] = [members.length, expected[name].length];
      problems.push(`misshapen: optimiser group ${name} has ${is} parameters, but the network has ${should} of them`);
      continue;
    }
    for (const [position, layout] of expected[name].entries()) {
      const number = members[position];
      if (typeof number === 'number' && !numbers.has(number)) numbers.set(number, layout);
      else problems.push(`unexpected: optimiser group ${name}: parameter number ${described(number)}`);
    }
  }
  for (const name of groupNames) {
    if (!found.has(name) && expected[name].length > 0) problems.push(`missing: optimiser group ${name}`);
  }
  return problems.length === before ? numbers : null;
}

/** Plain numbers before PyTorch 1.12, tensors since. */
function stepCount(value: PytorchValue | undefined): number | null {
  const step = isTensor(value) && value.values.length === 1 ? value.values[0] : value;
  return typeof step === 'number' && Number.isInteger(step) && step >= 0 ? step : null;
}

export interface PublishedRates {
  readonly learningRate: number;
  readonly localiserLearningRate: number;
  readonly weightDecay: number;
}

/** What `torch.optim.AdamW.load_state_dict` takes, with the published groups. @throws CheckpointMismatch */
export function toPublishedOptimizer(
  layouts: readonly TensorLayout[],
  arrays: NamedArrays,
  { learningRate, localiserLearningRate, weightDecay }: PublishedRates,
  checkpoint: string,
): PythonValue {
  const groups = publishedGroups(layouts);
  const inOrder = [...groups.base, ...groups.special];
  const states = inOrder.map((layout, number): [number, PythonValue] => {
    const { name, shape, publishedShape } = layout;
    const state = new Map<string, PythonValue>();
    const step = fitting(arrays, `${name}.step`, [], checkpoint);
    state.set('step', new PythonTensor([], Float32Array.from(step.values)));
    for (const moment of moments) {
      const { values } = fitting(arrays, `${name}.${moment}`, shape, checkpoint);
      state.set(moment, new PythonTensor(publishedShape, toPublished(layout, values)));
    }
    return [number, state];
  });
  const group = (name: GroupName, rate: number, first: number): PythonValue =>
    new Map<string, PythonValue>([
      ['lr', new PythonFloat(rate)],
      ['betas', new PythonTuple([0.9, 0.999])],
      ['eps', 1e-8],
      ['weight_decay', new PythonFloat(weightDecay)],
      ['amsgrad', false],
      ['maximize', false],
      ['foreach', null],
      ['capturable', false],
      ['differentiable', false],
      ['fused', null],
      ['group_id', name],
      ['params', groups[name].map((_, position) => first + position)],
    ]);
  return new Map<string, PythonValue>([
    ['state', new Map(states)],
    ['param_groups', [group('base', learningRate, 0), group('special', localiserLearningRate, groups.base.length)]],
  ]);
}
