import { engine, executeOne, float32, sharing, view, type TapeNode } from '../engine/engine.js';
import { disposeSaved, type Recording } from './recording.js';
import type { Tensor } from '../tensorflow.js';

/**
 * Gradients of a scalar by tensor id, while they are being summed. It alone owns its tensors, which no scope frees.
 */
export class GradientMap {
  private readonly byId = new Map<number, Tensor>();

  get(id: number): Tensor | null {
    return this.byId.get(id) ?? null;
  }

  ids(): number[] {
    return [...this.byId.keys()];
  }

  /** Adds to the gradient of a tensor. `gradient` stays its owner's; it may have another shape of the same size. */
  add(input: Tensor, gradient: Tensor, name: string): void {
    if (gradient.size !== input.size) {
      throw new Error(`${name}: a gradient [${gradient.shape.join(', ')}] for an input [${input.shape.join(', ')}]`);
    }
    const own = view(gradient, input.shape);
    own.kept = true;
    this.put(input.id, own);
  }

  /** Adds a tensor that the map may keep as its own. */
  put(id: number, gradient: Tensor): void {
    const sofar = this.byId.get(id);
    if (sofar === undefined) {
      this.byId.set(id, gradient);
      return;
    }
    const sum = executeOne('AddV2', [float32], [sofar, gradient]);
    sum.kept = true;
    this.byId.set(id, sum);
    sofar.dispose();
    gradient.dispose();
  }

  /** Removes a gradient and hands it over; the caller disposes it. */
  take(id: number): Tensor | null {
    const gradient = this.get(id);
    this.byId.delete(id);
    return gradient;
  }

  dispose(): void {
    for (const gradient of this.byId.values()) gradient.dispose();
    this.byId.clear();
  }
}

/** Hands a kept tensor over to the current scope. */
export function intoScope(tensor: Tensor): Tensor {
  const scoped = sharing(tensor);
  tensor.dispose();
  return scoped;
}

let walking: GradientMap | null = null;

/** The map of the backward pass that is under way, to which a rematerialised function adds its parameters' gradients. */
export function currentGradients(): GradientMap | null {
  return walking;
}

/**
 * Walks a tape backwards, turning gradients of outputs into gradients of inputs. It consumes the tape: what a node
 * saved and the gradients of its outputs are freed once it is done.
 */
export function backpropagate({ tape, watched }: Recording, gradients: GradientMap): void {
  const outer = walking;
  walking = gradients;
  try {
    for (let node = tape.pop(); node !== undefined; node = tape.pop()) {
      try {
        backpropagateNode(node, watched, gradients);
      } finally {
        for (const output of node.outputs) gradients.take(output.id)?.dispose();
        disposeSaved([node]);
      }
    }
  } finally {
    disposeSaved(tape);
    walking = outer;
  }
}

function backpropagateNode(node: TapeNode, watched: ReadonlySet<number>, gradients: GradientMap): void {
  const outputGradients = node.outputs.map((output) => gradients.get(output.id));
  if (outputGradients.every((gradient) => gradient === null)) return;
  const inputs = Object.entries(node.inputs);
  const needed = inputs.map(([, input]) => watched.has(input.id));
  if (!node.always && !needed.includes(true)) return;
  engine.startScope(node.kernelName);
  try {
    const results = inputGradients(node, outputGradients, needed);
    for (const [i, [, input]] of inputs.entries()) {
      const result = results[i];
      if (result && needed[i]) gradients.add(input, result, node.kernelName);
    }
  } finally {
    engine.endScope();
  }
}

function inputGradients(
  node: TapeNode,
  outputGradients: readonly (Tensor | null)[],
  needed: readonly boolean[],
): (Tensor | null)[] {
  if (node.backward !== undefined) return node.backward(outputGradients, node.saved ?? [], needed);
  if (node.gradient === undefined) throw new Error(`TensorFlow.js knows no gradient of ${node.kernelName}`);
  const thunks = node.gradient(outputGradients);
  return Object.keys(node.inputs).map((name, i) => (needed[i] ? thunks[name]!() : null));
}
