import { backend, type Attribute, type OutputMetadata } from '../engine/engine.js';
import type { Tensor } from '../tensorflow.js';

/** A graph of `infra/setup/binding/functions.cc`; its values are known by index. */
export interface NativeGraph {
  readonly kind: 'graph';
}

/** What TensorFlow knows about a value of a graph; no shape where it does not know it. */
export interface GraphValue {
  /** Its index in the graph. */
  readonly id: number;
  readonly shape: number[] | null;
  readonly dtype: number;
}

/** What our part of the binding adds to the npm package's. */
export interface FunctionBinding {
  newGraph(): NativeGraph;
  graphInput(graph: NativeGraph, tensorId: number): number;
  graphConstant(graph: NativeGraph, tensorId: number): number;
  /** @param after nodes that it waits for beside its inputs, counted in the order in which they were added. */
  graphOperation(
    graph: NativeGraph,
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly (number | readonly number[])[],
    after: readonly number[],
  ): GraphValue[];
  graphShape(graph: NativeGraph, value: number, shape: readonly number[]): void;
  /** @param effects nodes that are to run though no output depends on them. */
  graphFunction(
    graph: NativeGraph,
    name: string,
    inputs: readonly number[],
    outputs: readonly number[],
    effects: readonly number[],
  ): void;
  removeFunction(name: string): void;
  /** Runs a function on a thread of its own. @returns a promise of its outputs. */
  runFunction(name: string, inputs: readonly number[], outputs: number): Promise<OutputMetadata[]>;
  describeTensor(tensorId: number): OutputMetadata;
  shareTensor(tensorId: number): number;
  deleteTensor(tensorId: number): void;
}

/** Takes operations instead of TensorFlow. Tensors of a graph have ids below −1, which the backend does not free. */
export interface OperationTaker {
  /** Tensors, before an operation takes them by their ids. */
  see(tensors: readonly Tensor[], ids: readonly number[]): void;
  take(
    name: string,
    attributes: readonly Attribute[],
    inputIds: readonly number[],
    outputs: number,
  ): readonly OutputMetadata[];
}

const native = backend.binding;

/** The binding's functions for graphs. */
export const functionBinding = native as unknown as FunctionBinding;

/** What JavaScript asked of TensorFlow. Freeing tensors is not counted. */
export interface BindingCalls {
  /** Operations that ran one by one. */
  operations: number;
  /** Functions, each one operation. */
  functions: number;
  /** Tensors that were made of the host's numbers. */
  uploads: number;
  /** Tensors whose numbers were waited for: what was asked for before has to be computed first. */
  readBacks: number;
}

const calls: BindingCalls = { operations: 0, functions: 0, uploads: 0, readBacks: 0 };

/** All calls so far. */
export function bindingCalls(): Readonly<BindingCalls> {
  return { ...calls };
}

/** Runs a function on a thread of its own. */
export function runFunction(name: string, inputs: readonly number[], outputs: number): Promise<OutputMetadata[]> {
  calls.functions++;
  return functionBinding.runFunction(name, inputs, outputs);
}

let taker: OperationTaker | null = null;

/** Runs `f` while every operation, of tfjs or of ours, goes to `to`. */
export function withTaker<A>(to: OperationTaker, f: () => A): A {
  if (taker !== null) throw new Error('a function is recorded within another');
  taker = to;
  try {
    return f();
  } finally {
    taker = null;
  }
}

/** Whether operations are written down rather than run: then no tensor has values. */
export function isRecordingFunction(): boolean {
  return taker !== null;
}

// Both tfjs's kernels and ours reach the binding through this property of the backend.
const properties = Object.getOwnPropertyNames(native) as (keyof typeof native)[];
backend.binding = {
  ...(Object.fromEntries(properties.map((name) => [name, Reflect.get(native, name) as unknown])) as typeof native),
  executeOp(name, attributes, inputIds, outputs) {
    if (taker !== null) return [...taker.take(name, attributes, inputIds, outputs)];
    calls.operations++;
    return native.executeOp(name, attributes, inputIds, outputs);
  },
  createTensor(shape, dtype, values) {
    calls.uploads++;
    return native.createTensor(shape, dtype, values);
  },
  tensorDataSync(id) {
    calls.readBacks++;
    if (id >= 0) return native.tensorDataSync(id);
    throw new Error('a tensor of a recorded function has no values: it is not computed yet');
  },
};

const getInputTensorIds = backend.getInputTensorIds.bind(backend);
backend.getInputTensorIds = (tensors) => {
  const ids = getInputTensorIds(tensors);
  taker?.see(tensors, ids);
  return ids;
};
