import { alias, engine, view, type Backward, type TapeNode } from '../engine/engine.js';
import { Activation, compact, restored } from '../engine/precision.js';
import { tidy } from '../engine/tidy.js';
import { tf, type Tensor } from '../tensorflow.js';

/**
 * Recording for reverse-mode differentiation. We share tfjs's tape, so that `tf.*` operations and our kernels mix
 * freely, but walk it in our own way (backpropagate.ts), which frees what is saved as soon as it was used.
 */
export interface Recording {
  readonly tape: TapeNode[];
  /** Ids of tensors that depend on what is differentiated by. */
  readonly watched: Set<number>;
  /** Ids of the parameters: what the outermost caller differentiates by. */
  readonly leaves: ReadonlySet<number>;
  /** How many nodes of the tape `watched` reflects. */
  scanned: number;
}

let current: Recording | null = null;
let recomputing = 0;

/** The recording that is under way, if any. */
export function currentRecording(): Recording | null {
  return current;
}

/** Whether what runs is differentiated by `valueAndGradients`, and so kept for its backward pass. */
export function isRecording(): boolean {
  return current !== null;
}

/**
 * Whether a rematerialised function runs for the second time, in the backward pass: side effects (statistics that a
 * layer reports) must not repeat.
 */
export function isRecomputing(): boolean {
  return recomputing > 0;
}

/** Runs `f` with {@link isRecomputing} true. */
export function asRecomputation<A>(f: () => A): A {
  recomputing++;
  try {
    return f();
  } finally {
    recomputing--;
  }
}

function isTapeOn(): boolean {
  const { state } = engine;
  return state.gradientDepth > 0 && state.kernelDepth === 0 && state.activeTape !== null;
}

/** Whether gradients will flow to a tensor. Under tfjs's own `tf.grads`, which does not say, always. */
export function needsGradient(tensor: Tensor): boolean {
  if (!isTapeOn()) return false;
  if (current === null) return true;
  propagateWatched(current);
  return current.watched.has(tensor.id);
}

/** Marks the outputs of nodes that depend on what is watched. */
function propagateWatched(recording: Recording): void {
  const { tape, watched } = recording;
  for (; recording.scanned < tape.length; recording.scanned++) {
    const node = tape[recording.scanned]!;
    const depends = node.always === true || Object.values(node.inputs).some((input) => watched.has(input.id));
    // No gradient flows through comparisons and indices.
    if (depends) for (const output of node.outputs) if (output.dtype === 'float32') watched.add(output.id);
  }
}

/**
 * Puts an operation of ours on the tape; does nothing where no gradient is wanted.
 *
 * @param name for messages. @param inputs what gradients may flow to.
 * @param saved what `backward` needs. Aliases are kept: the caller's scope may free the tensors. Those that are marked as
 *   activations are kept as the precision has it, and come back as float32.
 * @param always the outputs depend on parameters that are not among the inputs (rematerialize.ts).
 * @param within the tape of what it is made of, whose saved tensors are freed with its own.
 */
export function record(
  name: string,
  inputs: readonly Tensor[],
  outputs: Tensor[],
  saved: readonly (Tensor | Activation)[],
  backward: Backward,
  always = false,
  within?: readonly TapeNode[],
): void {
  if (!isTapeOn() || !(always || inputs.some(needsGradient))) return;
  const keeping = saved.map(howToKeep);
  const kept = tidy(() => keeping.map(({ tensor }) => alias(tensor instanceof Activation ? compact(tensor) : tensor)));
  const restoring: Backward = (outputGradients, saved, needed) =>
    backward(
      outputGradients,
      saved.map((each, i) => keeping[i]!.restore(restored(each))),
      needed,
    );
  engine.state.activeTape!.push({
    id: engine.state.nextTapeNodeId++,
    kernelName: name,
    inputs: Object.fromEntries(inputs.map((input, i) => [i, input])),
    outputs,
    saved: kept,
    backward: restoring,
    always,
    ...(within && { within }),
    // For tfjs's own walk (`tf.grads`), which gradient checks use.
    gradient: (outputGradients) => {
      const all = inputs.map(() => true);
      const gradients = restoring(outputGradients, kept, all);
      return Object.fromEntries(
        inputs.map((input, i) => [i, () => view(gradients[i] ?? tf.zerosLike(input), input.shape)]),
      );
    },
  });
}

/** How a tensor can be had again. */
export interface Recipe {
  /** What it is computed from: to be alive until all that needs its result has been recorded. */
  readonly source: Tensor;
  readonly compute: (source: Tensor) => Tensor;
}

const recipes = new WeakMap<object, Recipe>();

/**
 * What is saved of y from now on, as an activation, is the recipe's source instead: where that is saved anyway, y takes no
 * memory until the backward pass, which computes it again for each operation that wants it.
 */
export function recomputed(y: Tensor, recipe: Recipe): void {
  recipes.set(y.dataId, recipe);
}

function howToKeep(saved: Tensor | Activation): {
  readonly tensor: Tensor | Activation;
  readonly restore: (kept: Tensor) => Tensor;
} {
  const recipe = saved instanceof Activation ? recipes.get(saved.tensor.dataId) : undefined;
  if (recipe === undefined) return { tensor: saved, restore: (kept) => kept };
  const { source, compute } = recipe;
  return {
    tensor: new Activation(source),
    restore: (kept) => withoutGradients(() => tidy(() => compute(kept))),
  };
}

/**
 * Runs `f`, recording what depends on the given tensors. Intermediate tensors of `f` that its result does not hold and
 * no gradient needs are freed.
 */
export function recordGradients<A>(
  f: () => A,
  watched: Iterable<number>,
  leaves: ReadonlySet<number>,
): { readonly value: A; readonly recording: Recording } {
  const recording: Recording = { tape: [], watched: new Set(watched), leaves, scanned: 0 };
  try {
    const value = withRecording(recording, () => tidy(f));
    propagateWatched(recording);
    return { value, recording };
  } catch (error) {
    disposeSaved(recording.tape);
    throw error;
  }
}

/** Runs `f` without recording any gradient. */
export function withoutGradients<A>(f: () => A): A {
  return withRecording(null, f);
}

function withRecording<A>(recording: Recording | null, f: () => A): A {
  const { state } = engine;
  const outer = { tape: state.activeTape, depth: state.gradientDepth, recording: current };
  current = recording;
  state.activeTape = recording?.tape ?? null;
  state.gradientDepth = recording === null ? 0 : 1;
  try {
    return f();
  } finally {
    current = outer.recording;
    state.activeTape = outer.tape;
    state.gradientDepth = outer.depth;
  }
}

/** Frees what the nodes of a tape kept for their gradients. */
export function disposeSaved(tape: readonly TapeNode[]): void {
  for (const node of tape) {
    for (const tensor of node.saved ?? []) tensor.dispose();
    if (node.within) disposeSaved(node.within);
  }
}
