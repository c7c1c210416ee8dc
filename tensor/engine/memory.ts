import { backend, bfloat16Type, engine } from './engine.js';

export interface TensorMemory {
  /** Bytes of all tensors that are alive, each buffer counted once. */
  readonly liveBytes: number;
  /** The largest `liveBytes` since the last {@link resetPeak}. Scratch memory inside an operation is not in it. */
  readonly peakBytes: number;
  /** Tensor handles alive; a number that grows from step to step is a leak. */
  readonly tensors: number;
}

let liveBytes = 0;
let peakBytes = 0;

/** A buffer, and how many handles share it. */
interface Buffer {
  readonly bytes: number;
  handles: number;
}
const buffers = new WeakMap<object, Buffer>();

function acquire(handle: object, buffer: Buffer): void {
  if (buffer.handles++ === 0) liveBytes += buffer.bytes;
  buffers.set(handle, buffer);
  if (liveBytes > peakBytes) peakBytes = liveBytes;
}

function release(handle: object): void {
  const buffer = buffers.get(handle);
  if (buffer !== undefined && --buffer.handles === 0) liveBytes -= buffer.bytes;
  buffers.delete(handle);
}

// Every handle that tfjs knows enters and leaves through this map of the node backend.
const { tensorMap } = backend;
const set = tensorMap.set.bind(tensorMap);
const remove = tensorMap.delete.bind(tensorMap);
/** Bytes of a number, where they are not four. */
const narrowTypes = new Map<unknown, number>([
  [backend.binding.TF_BOOL, 1],
  ['bool', 1],
  [bfloat16Type, 2],
]);

tensorMap.set = (handle, data) => {
  const shared = data.sharesWith === undefined ? undefined : buffers.get(data.sharesWith);
  const elements = data.shape.reduce((product, side) => product * side, 1);
  acquire(handle, shared ?? { bytes: elements * (narrowTypes.get(data.dtype) ?? 4), handles: 0 });
  set(handle, data);
};
tensorMap.delete = (handle) => {
  release(handle);
  return remove(handle);
};

/** What TensorFlow's tensors take, from this module's import on. */
export function tensorMemory(): TensorMemory {
  return { liveBytes, peakBytes, tensors: engine.state.numTensors };
}

/** Starts a new measurement of the peak. */
export function resetPeak(): void {
  peakBytes = liveBytes;
}

/** Runs `f`. @returns with its result, the largest `liveBytes` meanwhile. */
export function peakWithin<A>(f: () => A): { readonly result: A; readonly peak: number } {
  const before = peakBytes;
  peakBytes = liveBytes;
  try {
    const result = f();
    return { result, peak: peakBytes };
  } finally {
    peakBytes = Math.max(before, peakBytes);
  }
}

/** Reports tensors that come and go within one operation (a recorded function): at most so many bytes of them at once. */
export function noteTransient(bytes: number): void {
  peakBytes = Math.max(peakBytes, liveBytes + bytes);
}
