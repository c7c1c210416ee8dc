import { backpropagate, currentGradients, GradientMap, intoScope } from './backpropagate.js';
import type { Backward } from '../engine/engine.js';
import { Activation, asActivation } from '../engine/precision.js';
import {
  asRecomputation,
  currentRecording,
  needsGradient,
  record,
  recordGradients,
  withoutGradients,
  type Recording,
} from './recording.js';
import { tidy } from '../engine/tidy.js';
import type { Tensor } from '../tensorflow.js';

/**
 * Runs a function whose intermediate results are not kept for the backward pass: they are computed again there, from
 * the inputs. It costs the function's forward time once more, and saves its memory.
 *
 * @param f deterministic. It gets `inputs` as arguments, and must not reach for other tensors, except parameters of
 *   the surrounding `valueAndGradients` (whose gradients arrive all the same) and tensors that live until the backward
 *   pass is over (variables, constants that are kept). `isRecomputing()` is true in its second run.
 * @param kind of the inputs: activations are rounded, and kept, as the precision has it.
 * @returns what `f` returns, differentiable.
 */
export function rematerialize<O extends readonly Tensor[]>(
  f: (...inputs: Tensor[]) => O,
  inputs: readonly Tensor[],
  name = 'rematerialize',
  kind: 'exact' | 'activations' = 'exact',
): O {
  const recording = currentRecording();
  // Nothing is recorded, or it is tfjs's own `tf.grads` that records: then there is nothing to save, or no way to.
  if (recording === null) return tidy(() => f(...taken(inputs, kind)));
  const { leaves } = recording;
  return tidy(() => {
    const given = taken(inputs, kind);
    const outputs = withoutGradients(() => tidy(() => f(...given)));
    record(
      name,
      inputs,
      [...outputs],
      kind === 'exact' ? given : given.map((input) => new Activation(input)),
      (outputGradients, saved, needed) => backward(name, () => f(...saved), saved, needed, leaves, outputGradients),
      true,
    );
    return outputs;
  });
}

function taken(inputs: readonly Tensor[], kind: 'exact' | 'activations'): readonly Tensor[] {
  return kind === 'exact' ? inputs : inputs.map(asActivation);
}

function backward(
  name: string,
  f: () => readonly Tensor[],
  inputs: readonly Tensor[],
  needed: readonly boolean[],
  leaves: ReadonlySet<number>,
  outputGradients: readonly (Tensor | null)[],
): (Tensor | null)[] {
  const outer = currentGradients();
  if (outer === null) throw new Error(`${name} is rematerialised: differentiate it by valueAndGradients`);
  const watched = new Set(leaves);
  inputs.forEach((input, i) => needed[i] && watched.add(input.id));
  const { value, recording } = asRecomputation(() => recordGradients(f, watched, leaves));
  for (const output of value) output.dispose();
  return gradientsWithin(name, recording, inputs, value, outputGradients, outer);
}

/**
 * Runs a function whose intermediate results are kept for the backward pass, and whose gradients are summed by themselves
 * before they are handed on, as those of {@link rematerialize} are: which of the two a function runs by changes no bit.
 *
 * @param f as there, but it runs once. @param kind of the inputs, as there.
 */
export function keepTogether<O extends readonly Tensor[]>(
  f: (...inputs: Tensor[]) => O,
  inputs: readonly Tensor[],
  name = 'keepTogether',
  kind: 'exact' | 'activations' = 'exact',
): O {
  const outer = currentRecording();
  if (outer === null) return tidy(() => f(...taken(inputs, kind)));
  return tidy(() => {
    const given = taken(inputs, kind);
    const watched = new Set(outer.leaves);
    inputs.forEach((input, i) => needsGradient(input) && watched.add(given[i]!.id));
    const { value, recording } = recordGradients(() => f(...given), watched, outer.leaves);
    const backward: Backward = (outputGradients) => {
      const gradients = currentGradients();
      if (gradients === null) throw new Error(`${name} is kept together: differentiate it by valueAndGradients`);
      return gradientsWithin(name, recording, given, value, outputGradients, gradients);
    };
    record(name, inputs, [...value], [], backward, true, recording.tape);
    return value;
  });
}

/**
 * Walks the recording of a part of the network by itself.
 *
 * @param outputs what the part returned; they may be disposed.
 * @param outer takes the gradients of the parameters.
 * @returns the gradients by the inputs.
 */
function gradientsWithin(
  name: string,
  recording: Recording,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  outputGradients: readonly (Tensor | null)[],
  outer: GradientMap,
): (Tensor | null)[] {
  const inner = new GradientMap();
  try {
    for (const [i, output] of outputs.entries()) {
      const gradient = outputGradients[i];
      if (gradient && recording.watched.has(output.id)) inner.add(output, gradient, name);
      // The walk that asks for this node's gradients has no other use for it: its memory goes once `inner` is done.
      gradient?.dispose();
    }
    backpropagate(recording, inner);
    const results = inputs.map((input) => {
      const gradient = inner.take(input.id);
      return gradient && intoScope(gradient);
    });
    for (const id of inner.ids()) {
      const gradient = inner.take(id)!;
      if (recording.leaves.has(id)) outer.put(id, gradient);
      else gradient.dispose();
    }
    return results;
  } finally {
    inner.dispose();
  }
}
