import { backend, type Attribute, type OutputMetadata } from '../engine/engine.js';
import { functionBinding, type GraphValue, type NativeGraph } from './interception.js';

/** Operations that take a list: how many inputs are its elements, from the first on. */
const listInputs: Readonly<Record<string, (inputs: number) => number>> = {
  ConcatV2: (inputs) => inputs - 1,
  Pack: (inputs) => inputs,
  Stage: (inputs) => inputs,
};

/**
 * In which order operations run.
 * - `recorded`: one after the other as they were recorded. What is to be computed again in a backward pass is computed
 *   there, and memory is freed where the recording freed it.
 * - `any`: as soon as their inputs are there, several at once: small ones do not keep all of a processor's cores busy. It
 *   can take as much memory as all that they compute.
 */
export type Order = 'recorded' | 'any';

/** Operations on TensorFlow's variables, and how many of their inputs are variables' handles, from the first on. */
const variableHandles: Readonly<Record<string, number>> = {
  AssignVariableOp: 1,
  ReadVariableOp: 1,
  ResourceApplyAdam: 3,
};

/** Constants of so many numbers are part of the graph; larger ones are handed to the function at each run. */
const largestConstant = 256;

/** An argument of a function: one of those given at each run, or a constant, kept by its tensor's id. */
type Argument = { readonly kind: 'given'; readonly position: number } | { readonly kind: 'kept'; readonly id: number };

/** One function of a recording: a graph, and what it takes from outside. */
export class Part {
  readonly graph: NativeGraph = functionBinding.newGraph();
  private readonly argumentsOf: Argument[] = [];
  private readonly argumentValues: number[] = [];
  /** Values of the graph by the ids of the tensors outside. */
  private readonly outside = new Map<number, number>();
  private readonly constants = new Map<string, number>();
  /** Shapes that resources were assigned, by the value of the resource's handle. */
  private readonly resourceShapes = new Map<number, readonly number[]>();
  private nodes = 0;
  /** The node that used a variable last, by the value of its handle. */
  private readonly users = new Map<number, number>();
  /** Nodes that run for what they do, not for an output. */
  private readonly effects: number[] = [];

  /**
   * @param name of the function.
   * @param given ids of the tensors that are given anew at each run.
   */
  constructor(
    readonly name: string,
    private readonly given: readonly number[],
    private readonly order: Order,
  ) {}

  /**
   * Adds an operation.
   *
   * @param inputs values of this graph. @param shapes theirs, where they are known to the caller.
   */
  add(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    shapes: readonly (readonly number[] | null)[] = [],
  ): GraphValue[] {
    const listed = listInputs[name]?.(inputs.length) ?? 0;
    const arranged = listed === 0 ? inputs : [inputs.slice(0, listed), ...inputs.slice(listed)];
    const outputs = functionBinding.graphOperation(this.graph, name, attributes, arranged, this.waitsFor(name, inputs));
    if (outputs.length === 0) this.effects.push(this.nodes);
    this.nodes++;
    // TensorFlow does not know what lies behind a resource's handle that is an argument.
    if (name === 'AssignVariableOp' && shapes[1]) this.resourceShapes.set(inputs[0]!, shapes[1]);
    const shape = name === 'ReadVariableOp' ? this.resourceShapes.get(inputs[0]!) : undefined;
    if (shape === undefined) return outputs;
    const [read] = outputs;
    this.setShape(read!.id, shape);
    return [{ ...read!, shape: [...shape] }];
  }

  /** Nodes that the next one is to run after, though it does not take anything of theirs. */
  private waitsFor(name: string, inputs: readonly number[]): number[] {
    if (this.order === 'recorded') return this.nodes === 0 ? [] : [this.nodes - 1];
    const handles = inputs.slice(0, variableHandles[name] ?? 0);
    const earlier = handles.map((handle) => this.users.get(handle)).filter((node) => node !== undefined);
    for (const handle of handles) this.users.set(handle, this.nodes);
    return [...new Set(earlier)];
  }

  setShape(value: number, shape: readonly number[]): void {
    functionBinding.graphShape(this.graph, value, shape);
  }

  /** A tensor that exists, as a value of the graph. @param isKept it is a constant that lives as long as the program. */
  valueOf(id: number, isKept: () => boolean): number {
    const known = this.outside.get(id);
    if (known !== undefined) return known;
    const position = this.given.indexOf(id);
    const value = position >= 0 ? this.argument(id, { kind: 'given', position }) : this.constant(id, isKept);
    this.outside.set(id, value);
    return value;
  }

  private argument(id: number, argument: Argument): number {
    const value = functionBinding.graphInput(this.graph, id);
    this.argumentsOf.push(argument);
    this.argumentValues.push(value);
    return value;
  }

  private constant(id: number, isKept: () => boolean): number {
    const description = functionBinding.describeTensor(id);
    const { shape, dtype } = description;
    const size = shape.reduce((product, side) => product * side, 1);
    const { TF_FLOAT, TF_INT32 } = backend.binding;
    if (size <= largestConstant && (dtype === TF_FLOAT || dtype === TF_INT32)) {
      const key = `${dtype}:${shape.join(',')}:${backend.binding.tensorDataSync(id).join(',')}`;
      const known = this.constants.get(key);
      if (known !== undefined) return known;
      const value = functionBinding.graphConstant(this.graph, id);
      this.constants.set(key, value);
      return value;
    }
    if (!isKept()) throw new Error(missing(this.name, description));
    return this.argument(id, { kind: 'kept', id: functionBinding.shareTensor(id) });
  }

  /** Makes it a function. @param outputs values of the graph. */
  finish(outputs: readonly number[]): void {
    functionBinding.graphFunction(this.graph, this.name, this.argumentValues, outputs, this.effects);
  }

  /** Ids of the function's arguments. @param given ids of what is given at this run. */
  argumentIds(given: readonly number[]): number[] {
    return this.argumentsOf.map((argument) => (argument.kind === 'given' ? given[argument.position]! : argument.id));
  }

  /** Forgets the function, and frees the constants that it held. */
  dispose(): void {
    functionBinding.removeFunction(this.name);
    for (const argument of this.argumentsOf) if (argument.kind === 'kept') functionBinding.deleteTensor(argument.id);
  }
}

function missing(name: string, { shape }: OutputMetadata): string {
  return (
    `${name}: a tensor [${shape.join(', ')}] that an operation takes is neither given at each run nor kept. ` +
    'Give it, if it changes from run to run; keep it (tf.keep), if it never does.'
  );
}
