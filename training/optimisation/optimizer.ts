import {
  adamConstants,
  adamNumbers,
  createMoments,
  disposeMoments,
  Passages,
  readMoment,
  updatedByAdam,
  writeMoment,
  type AdamConstants,
  type Moment,
  type Moments,
} from '../../tensor/optimisation/adam.js';
import { tf, tidy, type Tensor, type Variable } from '../../tensor/index.js';

/** The two parameter groups (method 4). */
export type ParameterGroup = 'base' | 'localiser';

/** The published names of the grid localiser's parameters start with this. */
const localiserPrefix = 'sparse_point_net.grid_refiner.';

/** Which group a parameter belongs to, by its published name. */
export function parameterGroup(name: string): ParameterGroup {
  return name.startsWith(localiserPrefix) ? 'localiser' : 'base';
}

export interface AdamWSettings {
  readonly weightDecay: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

export type LearningRates = Readonly<Record<ParameterGroup, number>>;

/** Parameters that share the numbers of an update. */
export interface UpdateSet {
  readonly names: readonly string[];
  readonly learningRate: number;
  /** Which update of theirs it is, from 1. */
  readonly step: number;
}

interface Slot {
  readonly parameter: Variable;
  readonly moments: Moments;
  /** Updates that the parameter has had. */
  steps: number;
}

/** AdamW with PyTorch's semantics: decoupled weight decay on all parameters, bias correction, a step count of each parameter. */
export class AdamW {
  private readonly slots = new Map<string, Slot>();
  private readonly passages = new Passages();
  private readonly settings: Required<AdamWSettings>;

  /** @param parameters by published name. They stay the caller's; `update` assigns to them. */
  constructor(parameters: Readonly<Record<string, Variable>>, settings: AdamWSettings) {
    this.settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...settings };
    for (const [name, parameter] of Object.entries(parameters)) {
      this.slots.set(name, { parameter, moments: createMoments(parameter.shape), steps: 0 });
    }
  }

  /**
   * One update. A parameter that has no gradient here stays as it is, its moments and its step count too.
   *
   * @param gradients by parameter name; they stay the caller's. They must be finite (see `clipByGlobalNorm`).
   * @param learningRates of the groups.
   * @throws Error for a gradient of an unknown parameter, or of another shape than its parameter.
   */
  update(gradients: Readonly<Record<string, Tensor>>, learningRates: LearningRates): void {
    const names = Object.keys(gradients);
    const { sets } = this.nextUpdate(names, learningRates);
    tidy(() => {
      const numbers = tf.tensor1d(this.numbersOf(sets));
      const updated = this.updated(gradients, sets, adamConstants(numbers));
      for (const [name, value] of Object.entries(updated)) this.slots.get(name)!.parameter.assign(value);
    });
    this.count(names, 1);
  }

  /**
   * How parameters share the numbers of the next update: those of a group that have had as many.
   *
   * @returns `key`: the same as long as the sets have the same parameters.
   */
  nextUpdate(
    names: readonly string[],
    learningRates: LearningRates,
  ): { readonly sets: readonly UpdateSet[]; readonly key: string } {
    const sets = new Map<string, UpdateSet & { names: string[] }>();
    for (const name of names) {
      const { steps } = this.slotOf(name);
      const group = parameterGroup(name);
      const key = `${group} ${steps}`;
      const set = sets.get(key) ?? { names: [], learningRate: learningRates[group], step: steps + 1 };
      set.names.push(name);
      sets.set(key, set);
    }
    return { sets: [...sets.values()], key: [...sets.values()].map((set) => set.names.join(' ')).join('|') };
  }

  /** The numbers of an update, one set after the other (see `adamConstants`). */
  numbersOf(sets: readonly UpdateSet[]): number[] {
    return sets.flatMap(({ learningRate, step }) => adamNumbers({ ...this.settings, learningRate }, step));
  }

  /**
   * Updates the moments.
   *
   * @param constants of the sets. @returns the new parameters by name, of the current scope; nothing is assigned or counted.
   * @throws Error for a gradient of another shape than its parameter.
   */
  updated(
    gradients: Readonly<Record<string, Tensor>>,
    sets: readonly UpdateSet[],
    constants: readonly AdamConstants[],
  ): Record<string, Tensor> {
    const result: Record<string, Tensor> = {};
    for (const [i, { names }] of sets.entries()) {
      for (const name of names) {
        const { parameter, moments } = this.slotOf(name);
        const gradient = gradients[name]!;
        requireShape(name, parameter, gradient);
        result[name] = updatedByAdam(parameter, moments, this.passages.next(), gradient, constants[i]!);
      }
    }
    return result;
  }

  /** Counts an update of these parameters; −1: one that turned out not to have been applied. */
  count(names: readonly string[], updates: 1 | -1): void {
    for (const name of names) this.slotOf(name).steps += updates;
  }

  /**
   * All there is to save, by names that follow PyTorch's: `NAME.exp_avg`, `NAME.exp_avg_sq`, `NAME.step`.
   *
   * @returns a snapshot: later updates do not change it. The tensors belong to the caller or the surrounding `tidy`.
   */
  state(): Record<string, Tensor> {
    const state: Record<string, Tensor> = {};
    for (const [name, { moments, steps }] of this.slots) {
      state[`${name}.exp_avg`] = readMoment(moments.first);
      state[`${name}.exp_avg_sq`] = readMoment(moments.second);
      state[`${name}.step`] = tf.scalar(steps);
    }
    return state;
  }

  /**
   * Goes on from a saved state.
   *
   * @param state what `state` returned, of the same parameters; stays the caller's.
   * @throws Error naming a tensor that is missing, superfluous or misshapen; then the optimiser must not be used.
   */
  restore(state: Readonly<Record<string, Tensor>>): void {
    const expected = new Set<string>();
    const take = (name: string): Tensor => {
      expected.add(name);
      const tensor = state[name];
      if (tensor === undefined) throw new Error(`optimiser state: ${name} is missing`);
      return tensor;
    };
    const restoreMoment = (moment: Moment, name: string): void => {
      const values = take(name);
      try {
        writeMoment(moment, values);
      } catch (error) {
        throw new Error(`optimiser state: ${name}: ${(error as Error).message}`, { cause: error });
      }
    };
    for (const [name, slot] of this.slots) {
      restoreMoment(slot.moments.first, `${name}.exp_avg`);
      restoreMoment(slot.moments.second, `${name}.exp_avg_sq`);
      slot.steps = take(`${name}.step`).dataSync()[0]!;
    }
    const superfluous = Object.keys(state).find((name) => !expected.has(name));
    if (superfluous !== undefined) throw new Error(`optimiser state: ${superfluous} belongs to no parameter`);
  }

  /** Frees the moments. The parameters stay. */
  dispose(): void {
    for (const { moments } of this.slots.values()) disposeMoments(moments);
    this.passages.dispose();
    this.slots.clear();
  }

  private slotOf(name: string): Slot {
    const slot = this.slots.get(name);
    if (slot === undefined) throw new Error(`AdamW: a gradient of ${name}, which is not one of its parameters`);
    return slot;
  }
}

function requireShape(name: string, { shape }: Variable, gradient: Tensor): void {
  if (shape.length === gradient.shape.length && shape.every((side, axis) => side === gradient.shape[axis])) return;
  throw new Error(`AdamW: a gradient [${gradient.shape.join(', ')}] of ${name} [${shape.join(', ')}]`);
}
