import { attribute, backend, execute, wrap, type Attribute, type OutputMetadata } from '../engine/engine.js';
import { peakWithin, noteTransient, tensorMemory } from '../engine/memory.js';
import { countedOperations, countOperations } from '../engine/phases.js';
import type { Tensor } from '../tensorflow.js';
import { functionBinding, runFunction, withTaker, type OperationTaker } from './interception.js';
import { Part, type Order } from './part.js';

/** A tensor of a part that is being recorded. */
interface Known {
  readonly part: Part;
  readonly value: number;
  /** null where TensorFlow cannot tell it. */
  readonly shape: readonly number[] | null;
  readonly dtype: number;
}

/** A recorded function: the operations that were recorded, as one. */
export interface RecordedFunction {
  /**
   * @param given what was given when it was recorded, of the same shapes, in the same order.
   * @returns the outputs; tensors of the current scope.
   */
  run(given: readonly Tensor[]): Tensor[];
  /**
   * The same on a thread of its own, while JavaScript goes on.
   *
   * @returns the outputs, the caller's.
   */
  start(given: readonly Tensor[]): Promise<Tensor[]>;
}

interface FinishedPart {
  readonly part: Part;
  /** Values of its graph. */
  readonly outputs: readonly number[];
  /** Bytes of tensors at their most while it runs. */
  readonly bytes: number;
  /** Multiplications and additions (see `countOperations`). */
  readonly operations: number;
}

let recordings = 0;
/** Ids of tensors that are not computed yet: below −1, which the backend takes for "none". */
let nextId = -2;

/**
 * Records functions that run one after the other, such as a step's forward and backward pass: what a later part uses of an
 * earlier one's tensors stays in TensorFlow between the two, and is freed when the later part has used it for the last time.
 *
 * All in a part goes as it does without: kernels, tape, `rematerialize`, `tidy`. But operations are written down instead of
 * being run, so no tensor has values: nothing in a part can depend on them (`dataSync`). Tensors that exist are either given
 * at each run (parameters, images), or constants: small ones become part of the function, larger ones must be kept
 * (`tf.keep`). What changes from run to run has to be given: a number that is made within a part stays as it was.
 */
export class Recording implements OperationTaker {
  private readonly name: string;
  private readonly finished: FinishedPart[] = [];
  private current: Part | null = null;
  private readonly known = new Map<number, Known>();
  /** What a part has taken over from earlier ones: its values by the tensors' ids. */
  private readonly takenOver = new Map<Part, Map<number, number>>();
  private readonly handedOver: { readonly name: string; readonly dtype: number }[] = [];
  private readonly kept = new Set<number>();
  private readonly liveBytes = tensorMemory().liveBytes;
  private computedBytes = 0;

  constructor(
    name: string,
    private readonly order: Order = 'recorded',
  ) {
    this.name = `${name.replace(/[^A-Za-z0-9]+/g, '_')}_${recordings++}`;
  }

  /**
   * Records the next part.
   *
   * @param given tensors that are given anew at each run.
   * @returns what `f` returned. Its tensors can be used in the parts to come, and nowhere else.
   */
  part<A>(name: string, given: readonly Tensor[], f: () => A, outputsOf: (result: A) => readonly Tensor[]): A {
    const part = new Part(`${this.name}_${name}`, backend.getInputTensorIds(given), this.order);
    this.current = part;
    const counted = countedOperations();
    const { result, peak } = peakWithin(() => withTaker(this, f));
    const outputs = withTaker(this, () =>
      backend.getInputTensorIds(outputsOf(result)).map((id) => this.output(part, id)),
    );
    const operations = countedOperations() - counted;
    countOperations(-operations);
    this.finished.push({ part, outputs, operations, bytes: peak - this.liveBytes });
    this.current = null;
    return result;
  }

  /** What was recorded, a function each part, to be run in this order. */
  finish(): RecordedFunctions {
    for (const { part, outputs } of this.finished) part.finish(outputs);
    const clearing = new Part(`${this.name}_discard`, [], this.order);
    for (const { name, dtype } of this.handedOver) clearing.add('StageClear', staging(name, dtype), []);
    clearing.finish([]);
    return new RecordedFunctions(this.finished, clearing, this.computedBytes);
  }

  see(tensors: readonly Tensor[], ids: readonly number[]): void {
    for (const [i, id] of ids.entries()) if (tensors[i]!.kept) this.kept.add(id);
  }

  take(name: string, attributes: readonly Attribute[], inputIds: readonly number[]): OutputMetadata[] {
    const part = this.current!;
    const inputs = inputIds.map((id) => this.valueIn(part, id));
    const shapes = inputIds.map((id) => this.known.get(id)?.shape ?? null);
    return part.add(name, attributes, inputs, shapes).map(({ id: value, shape, dtype }) => {
      const id = nextId--;
      this.known.set(id, { part, value, shape, dtype });
      if (name !== 'Reshape') this.computedBytes += 4 * (shape ?? []).reduce((product, side) => product * side, 1);
      return { id, shape: shape ?? [0], dtype };
    });
  }

  private output(part: Part, id: number): number {
    const value = this.valueIn(part, id);
    const type = { ...attribute.float32('T'), value: this.known.get(id)?.dtype ?? backend.binding.TF_FLOAT };
    return part.add('Identity', [type], [value])[0]!.id;
  }

  private valueIn(part: Part, id: number): number {
    if (id >= 0) return part.valueOf(id, () => this.kept.has(id));
    const known = this.known.get(id);
    if (known === undefined) throw new Error(`${part.name}: a tensor of another recording`);
    if (known.part === part) return known.value;
    const taken = this.takenOver.get(part) ?? new Map<number, number>();
    this.takenOver.set(part, taken);
    const value = taken.get(id) ?? this.takeOver(part, known);
    taken.set(id, value);
    return value;
  }

  /** A staging area holds one tensor between two parts; taking it out leaves its buffer to who took it. */
  private takeOver(part: Part, { part: from, value, shape, dtype }: Known): number {
    const name = `${this.name}_${this.handedOver.length}`;
    this.handedOver.push({ name, dtype });
    from.add('Stage', staging(name, dtype), [value]);
    const [taken] = part.add('Unstage', staging(name, dtype), []);
    if (shape !== null) part.setShape(taken!.id, shape);
    return taken!.id;
  }
}

function staging(name: string, dtype: number): Attribute[] {
  return [{ ...attribute.float32('dtypes'), value: [dtype] }, attribute.text('shared_name', name)];
}

/** The functions of a recording. */
export class RecordedFunctions {
  readonly parts: readonly RecordedFunction[];

  constructor(
    private readonly finished: readonly FinishedPart[],
    private readonly clearing: Part,
    /** What all operations compute, taken together: more than they ever take at once, in whatever order. */
    readonly computedBytes: number,
  ) {
    this.parts = finished.map((part) => ({
      run: (given) => run(part, given),
      start: (given) => start(part, given),
    }));
  }

  /** Frees what the parts that have run left for those that will not. */
  discard(): void {
    execute(this.clearing.name, [], [], 0);
  }

  /** Forgets the functions. */
  dispose(): void {
    for (const { part } of this.finished) part.dispose();
    this.clearing.dispose();
  }
}

function run(finished: FinishedPart, given: readonly Tensor[]): Tensor[] {
  const { part, outputs } = finished;
  const ids = begun(finished, given);
  try {
    return backend.binding.executeOp(part.name, [], ids, outputs.length).map((output) => wrap(output));
  } catch (error) {
    throw failed(part, error);
  }
}

async function start(finished: FinishedPart, given: readonly Tensor[]): Promise<Tensor[]> {
  const { part, outputs } = finished;
  const ids = begun(finished, given);
  let metadata: OutputMetadata[];
  try {
    metadata = await runFunction(part.name, ids, outputs.length);
  } catch (error) {
    throw failed(part, error);
  }
  return metadata.map((output) => wrap(output));
}

/** @returns ids of the function's arguments. */
function begun({ part, bytes, operations }: FinishedPart, given: readonly Tensor[]): number[] {
  noteTransient(bytes);
  countOperations(operations);
  return part.argumentIds(backend.getInputTensorIds(given));
}

function failed(part: Part, cause: unknown): Error {
  return new Error(`TensorFlow failed in ${part.name}: ${(cause as Error).message}`, { cause });
}

/** A number that TensorFlow has yet to compute. */
export interface PendingNumber {
  /** Waits for it. To be called once, or `dispose` instead. */
  read(): number;
  dispose(): void;
}

/** A tensor of one float32 number, to be read later; the tensor is disposed. */
export function pendingNumber(tensor: Tensor): PendingNumber {
  const id = functionBinding.shareTensor(backend.getInputTensorIds([tensor])[0]!);
  tensor.dispose();
  const dispose = (): void => functionBinding.deleteTensor(id);
  return {
    dispose,
    read() {
      const [value] = backend.binding.tensorDataSync(id);
      dispose();
      return value!;
    },
  };
}
