import { attribute, backend, executeOne, isBfloat16, runsOnGpu, sharing, type Attribute } from './engine.js';
import { processorHas } from './processor.js';
import type { Tensor } from '../tensorflow.js';
import { tidy } from './tidy.js';

/**
 * Mixed precision: activations, which are what fills a training step's memory, have bfloat16's numbers (float32's range,
 * 8 binary digits); parameters, their gradients, statistics, sums, losses and the heads stay float32.
 *
 * What convolutions take and return, and what rectifiers return, is rounded to bfloat16. In the program it
 * is float32 all the same, so that every operation can be mixed in; what is kept for the backward pass is kept as
 * bfloat16, half the bytes, and without loss, for it was rounded before. Rounding counts as the identity in gradients.
 *
 * Where the device has the arithmetic, convolutions run in it (sums in float32). Where it has not, float32's run on the
 * rounded numbers, with the same result up to the order of sums, in float32's time and that of the conversions:
 * TensorFlow's own convolutions of bfloat16 are 50 times as slow there and sum in bfloat16 (2 % off; AVX2).
 */
export type Activations = 'float32' | 'bfloat16';

/** Settled by workers/prepareTensorFlow.ts, as what TensorFlow reads from the environment is. */
let activations: Activations = process.env['TEMPEH_ACTIVATIONS'] === 'bfloat16' ? 'bfloat16' : 'float32';

/** Runs `f` with other activations than the process is set to. For tests: what is recorded must be differentiated in it. */
export function withActivations<A>(type: Activations, f: () => A): A {
  const outer = activations;
  activations = type;
  try {
    return f();
  } finally {
    activations = outer;
  }
}

let arithmetic: boolean | undefined;

/**
 * Whether the device has bfloat16 arithmetic: a processor with AVX512-BF16 or AMX-BF16; a GPU is taken to have it (those
 * before compute capability 8.0 have not, which the binding does not report: `tempeh-flow doctor` does).
 */
function hasBfloat16Arithmetic(): boolean {
  arithmetic ??= runsOnGpu() || processorHas('avx512_bf16') || processorHas('amx_bf16');
  return arithmetic;
}

/** Runs `f` as on a device that has the arithmetic, or has not. For tests. */
export function withArithmetic<A>(has: boolean, f: () => A): A {
  const outer = arithmetic;
  arithmetic = has;
  try {
    return f();
  } finally {
    arithmetic = outer;
  }
}

/** A note for the user about the precision that is set, on this device; null if there is nothing to say. */
export function precisionWarning(): string | null {
  if (activations === 'float32' || hasBfloat16Arithmetic()) return null;
  return (
    'precision: bfloat16 on a processor without its arithmetic (avx512_bf16, amx_bf16): it saves memory, and takes ' +
    'longer than float32, for the arithmetic is float32’s and the conversions come on top.'
  );
}

const toBfloat16 = [attribute.float32('SrcT'), attribute.bfloat16('DstT'), attribute.flag('Truncate', false)];
const toFloat32 = [attribute.bfloat16('SrcT'), attribute.float32('DstT'), attribute.flag('Truncate', false)];

/** Buffers of float32 whose numbers are bfloat16's. */
const rounded = new WeakSet<object>();

/** The same numbers as bfloat16, while something keeps them. By the float32 buffer. */
const narrowCopies = new WeakMap<object, object>();

/** As bfloat16, rounded to the nearest (of two to the even one); a tensor of the current scope. One buffer, however often. */
function narrow(x: Tensor): Tensor {
  const copy = narrowCopies.get(x.dataId);
  if (copy !== undefined && backend.tensorMap.has(copy)) {
    return sharing({ dataId: copy, shape: x.shape, dtype: 'float32' });
  }
  const made = executeOne('Cast', toBfloat16, [x]);
  narrowCopies.set(x.dataId, made.dataId);
  return made;
}

/** As float32, in the current scope. */
function widen(x: Tensor): Tensor {
  const y = executeOne('Cast', toFloat32, [x]);
  rounded.add(y.dataId);
  narrowCopies.set(y.dataId, x.dataId);
  return y;
}

/** Rounds what an operation has just computed, and frees it. Not recorded: the operation that calls it is. */
export function roundedActivation<T extends Tensor>(computed: T): T {
  if (activations === 'float32' || rounded.has(computed.dataId)) return computed;
  const copy = narrow(computed);
  computed.dispose();
  const y = widen(copy);
  copy.dispose();
  return y as T;
}

/** What a convolution takes, activation or weights: rounded; x itself where it is already. Not recorded. */
export function asActivation<T extends Tensor>(x: T): T {
  if (activations === 'float32' || rounded.has(x.dataId)) return x;
  return tidy(() => widen(narrow(x))) as T;
}

/** y, whose numbers are all among x's, is rounded if x is. */
export function pickedFrom<T extends Tensor>(x: Tensor, y: T): T {
  if (rounded.has(x.dataId)) rounded.add(y.dataId);
  return y;
}

/** Marks what is saved for the backward pass as an activation: it may be kept as bfloat16 (recording.ts). */
export class Activation {
  constructor(readonly tensor: Tensor) {}
}

/** What is kept of it, a tensor of the current scope. */
export function compact({ tensor }: Activation): Tensor {
  return activations === 'float32' ? tensor : narrow(tensor);
}

/** What was kept, as the operations take it. */
export function restored(kept: Tensor): Tensor {
  return isBfloat16(kept) ? widen(kept) : kept;
}

const isType = ({ name }: Attribute): boolean => name === 'T';
const narrowType = attribute.bfloat16('T');

/** Whether activations are rounded to bfloat16 (see above). */
export function activationsAreRounded(): boolean {
  return activations === 'bfloat16';
}

/** Whether convolutions run in bfloat16 (see above). */
export function convolvesInBfloat16(): boolean {
  return activations === 'bfloat16' && hasBfloat16Arithmetic();
}

/** One of TensorFlow's convolutions, or gradients of one, with `T` in its attributes; in bfloat16 where the device has it. */
export function executeConvolution(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor {
  if (!convolvesInBfloat16()) return executeOne(name, attributes, inputs);
  return tidy(() => {
    const narrowInputs = inputs.map((input) => (input.dtype === 'float32' ? narrow(input) : input));
    const typed = attributes.map((given) => (isType(given) ? narrowType : given));
    return widen(executeOne(name, typed, narrowInputs));
  });
}
