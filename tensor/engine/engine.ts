import { tf, type Tensor } from '../tensorflow.js';

/**
 * The parts of tfjs's engine and of its node backend that this room builds on and that its typings hide. They are those
 * of tfjs 4.22, which the lock file pins.
 */
export interface TapeNode {
  id: number;
  kernelName: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  saved?: Tensor[];
  /** tfjs's own gradient: a thunk for each input. */
  gradient?: (outputGradients: readonly (Tensor | null)[]) => Record<string, () => Tensor>;
  /** Ours (see recording.ts); where it is there, it is preferred. */
  backward?: Backward;
  /** The outputs depend on parameters that are not among the inputs. */
  always?: boolean;
  /** What it is made of, if that was recorded apart (see rematerialize.ts). */
  within?: readonly TapeNode[];
}

/**
 * @param outputGradients one for each output of the node, null where the loss does not depend on it.
 * @param needed for each input whether its gradient is wanted; others may be left null.
 * @returns one for each input. May return an output's gradient itself, and one tensor twice.
 */
export type Backward = (
  outputGradients: readonly (Tensor | null)[],
  saved: readonly Tensor[],
  needed: readonly boolean[],
) => (Tensor | null)[];

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface OutputMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

/** What the node backend knows of a buffer. */
interface StoredData {
  readonly shape: number[];
  readonly dtype: number | string;
  /** Ours: the buffer that this one is a view of. */
  readonly sharesWith?: object | undefined;
}

interface NodeBackend {
  binding: {
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_INT: number;
    readonly TF_ATTR_FLOAT: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
    readonly TF_INT64: number;
    readonly TF_BOOL: number;
    executeOp(
      name: string,
      attributes: readonly Attribute[],
      inputIds: readonly number[],
      outputs: number,
    ): OutputMetadata[];
    createTensor(shape: readonly number[], dtype: number, values: unknown): number;
    tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  };
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: {
    set(dataId: object, data: StoredData & Record<string, unknown>): void;
    delete(dataId: object): boolean;
    has(dataId: object): boolean;
    get(dataId: object): StoredData;
  };
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  incRef(dataId: object): void;
}

interface Engine {
  readonly state: {
    activeTape: TapeNode[] | null;
    gradientDepth: number;
    kernelDepth: number;
    nextTapeNodeId: number;
    numTensors: number;
  };
  startScope(name?: string): void;
  endScope(result?: unknown): void;
  makeTensorFromTensorInfo(info: { dataId: object; shape: number[]; dtype: string }): Tensor;
}

export const engine = (tf as unknown as { engine(): Engine }).engine();
export const backend = (tf as unknown as { backend(): NodeBackend }).backend();

export type { Attribute };

/** Whether TensorFlow's default device is a GPU. */
export function runsOnGpu(): boolean {
  return backend.isUsingGpuDevice;
}

/**
 * A second handle on a tensor's memory, with a life of its own: no copy, and not subject to `tidy`.
 * The caller disposes it.
 */
export function alias(tensor: Tensor): Tensor {
  const second = sharing(tensor);
  second.kept = true;
  return second;
}

/** A second handle on a tensor's memory in the current scope. */
export function sharing(tensor: Pick<Tensor, 'dataId' | 'shape' | 'dtype'>): Tensor {
  const { dataId, shape, dtype } = tensor;
  backend.incRef(dataId);
  return engine.makeTensorFromTensorInfo({ dataId, shape, dtype });
}

/** The same memory under another shape, as a tensor of the current scope. No copy; the gradient is not recorded. */
export function view(tensor: Tensor, shape: readonly number[]): Tensor {
  const { shape: old } = tensor;
  if (old.length === shape.length && old.every((side, axis) => side === shape[axis])) return sharing(tensor);
  const inputs = backend.getInputTensorIds([tensor, integers(shape)]);
  const [metadata] = backend.binding.executeOp(
    'Reshape',
    tensor.dtype === 'bool' ? reshapeBool : reshapeFloat,
    inputs,
    1,
  );
  return wrap(metadata!, tensor.dataId);
}

/** TensorFlow's number of bfloat16 (`DT_BFLOAT16`), which neither tfjs nor its binding names; the binding passes it on. */
export const bfloat16Type = 14;

/** TensorFlow's number of float64 (`DT_DOUBLE`), likewise unknown to them. */
const float64Type = 2;

/** Whether a tensor is bfloat16. tfjs calls it float32, and cannot read it: it may only be handed to operations by name. */
export function isBfloat16(tensor: Tensor): boolean {
  return backend.tensorMap.get(tensor.dataId).dtype === bfloat16Type;
}

const dtypeNames = new Map([
  [backend.binding.TF_FLOAT, 'float32'],
  [backend.binding.TF_INT32, 'int32'],
  // tfjs has no 64-bit integers; such a tensor may only be handed on to another operation.
  [backend.binding.TF_INT64, 'int32'],
  [backend.binding.TF_BOOL, 'bool'],
]);

/**
 * Runs a TensorFlow operation without any of tfjs's checks, conversions or gradients.
 *
 * @returns its outputs, tensors of the current scope.
 * @throws Error naming the operation and the shapes, with TensorFlow's reason.
 */
export function execute(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Tensor[],
  outputs = 1,
): Tensor[] {
  let metadata: OutputMetadata[];
  try {
    metadata = backend.binding.executeOp(name, attributes, backend.getInputTensorIds(inputs), outputs);
  } catch (error) {
    const shapes = inputs.map((input) => `[${input.shape.join(', ')}]`).join(', ');
    throw new Error(`TensorFlow refused ${name} of ${shapes}: ${(error as Error).message}`, { cause: error });
  }
  return metadata.map((output) => wrap(output));
}

/** A TensorFlow handle as a tensor of the current scope. @param sharesWith the buffer that it is a view of. */
export function wrap({ id, shape, dtype }: OutputMetadata, sharesWith?: object): Tensor {
  const dataId = {};
  backend.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1, sharesWith });
  return engine.makeTensorFromTensorInfo({ dataId, shape, dtype: dtypeNames.get(dtype) ?? 'float32' });
}

/** The only output of an operation (see {@link execute}). */
export function executeOne(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor {
  const [output] = execute(name, attributes, inputs, 1);
  return output!;
}

const { binding } = backend;

/** Attributes of operations; the four builders and two ready-made ones. */
export const attribute = {
  integers: (name: string, value: readonly number[]): Attribute => ({ name, type: binding.TF_ATTR_INT, value }),
  integer: (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_INT, value }),
  text: (name: string, value: string): Attribute => ({ name, type: binding.TF_ATTR_STRING, value }),
  flag: (name: string, value: boolean): Attribute => ({ name, type: binding.TF_ATTR_BOOL, value }),
  number: (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_FLOAT, value }),
  float32: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }),
  int32: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 }),
  int64: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_INT64 }),
  bool: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_BOOL }),
  float64: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: float64Type }),
  bfloat16: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: bfloat16Type }),
};

const reshapeFloat = [attribute.float32('T'), attribute.int32('Tshape')];
const reshapeBool = [attribute.bool('T'), attribute.int32('Tshape')];

/** `T: float32`, which most operations want. */
export const float32 = attribute.float32('T');

/** Values of a shape that are all the same number, without an array on the host. */
export function filled(shape: readonly number[], value: number): Tensor {
  return executeOne('Fill', fillTyped, [integers(shape), tf.scalar(value)]);
}

const fillTyped = [float32, attribute.int32('index_type')];

const integerConstants = new Map<string, Tensor>();

/** A constant vector of int32, made once and kept: shapes, axes and paddings are inputs of TensorFlow's operations. */
export function integers(values: readonly number[], shape: number[] = [values.length]): Tensor {
  const key = `${values.join(',')}:${shape.join(',')}`;
  let constant = integerConstants.get(key);
  if (constant === undefined) {
    constant = tf.keep(tf.tensor(Int32Array.from(values), shape, 'int32'));
    integerConstants.set(key, constant);
  }
  return constant;
}
