import type { StatisticsUpdate } from '../../model/types.js';
import {
  forwardPass,
  inPhaseOfPromise,
  pendingNumber,
  Recording,
  tf,
  tidy,
  withExactShifts,
  type Order,
  type PendingNumber,
  type RecordedFunction,
  type RecordedFunctions,
  type Tensor,
} from '../../tensor/index.js';
import { adamConstants, adamConstantsIf } from '../../tensor/optimisation/adam.js';
import { selected } from '../../tensor/optimisation/norms.js';
import { clipByGlobalNorm } from '../optimisation/gradientClipping.js';
import { isOfParts } from '../../model/parameters/parts.js';
import type { AdamW, LearningRates, UpdateSet } from '../optimisation/optimizer.js';
import type { PreparedBatch, StageNetwork } from '../networks/stageNetwork.js';

/** A step of one shape of batch, as functions of TensorFlow. */
interface Recorded {
  readonly functions: RecordedFunctions;
  /** Names of the buffers that the step reports new statistics of, in the order of its outputs. */
  readonly statistics: readonly string[];
}

/** Steps that compute no more than this have their operations run in any order, several at once. */
const bytesInAnyOrder = 1024 * 2 ** 20;

/**
 * Forward pass, and backward pass with clipping, AdamW and running statistics, as two functions of TensorFlow, which are
 * recorded at the first batch of each shape. Between the two are the losses, which the host computes.
 */
export class RecordedStep {
  private readonly recorded = new Map<string, Recorded>();
  private order: Order = 'any';
  /** Names of the parameters that it updates. */
  readonly trained: readonly string[];
  private under: { readonly recorded: Recorded; readonly prepared: PreparedBatch } | null = null;

  /** @param clipping the largest norm of all gradients together; null: none. */
  constructor(
    readonly network: StageNetwork,
    private readonly optimizer: AdamW,
    private readonly clipping: number | null,
  ) {
    const { state, frozen = [] } = network;
    this.trained = Object.keys(state.parameters).filter((name) => !isOfParts(name, frozen));
  }

  /**
   * To be followed by `backward` or `discard`.
   *
   * @param exactShifts computes what a forward pass without it has made NaN of (see `withExactShifts`), in more time.
   * @param prepared to be there until then.
   * @returns the prediction, `[B, L, 3]`; the caller's.
   */
  async forward(prepared: PreparedBatch, exactShifts = false): Promise<Tensor> {
    const { sets, key } = this.nextUpdate({ base: 0, localiser: 0 });
    const shapes = prepared.tensors.map(({ shape }) => shape.join('×')).join(' ');
    const name = `${shapes} ${key} ${exactShifts}`;
    const record = (): Recorded => this.record(prepared, sets);
    const recorded = this.recorded.get(name) ?? (exactShifts ? withExactShifts(record) : record());
    this.recorded.set(name, recorded);
    const [vertices] = await running(recorded, 'forward', (parts) => parts[0]!.start(this.given(prepared)));
    this.under = { recorded, prepared };
    return vertices!;
  }

  /**
   * Gradients by all parameters that are trained, and the update; if the gradients are not finite, nothing changes.
   *
   * @param gradient of the loss by the prediction. `[B, L, 3]`
   * @returns the gradients' norm before clipping, not finite where they are not.
   */
  async backward(gradient: Tensor, learningRates: LearningRates): Promise<PendingNumber> {
    const { recorded, prepared } = this.taken();
    const { parameters, buffers } = this.network.state;
    const { sets } = this.nextUpdate(learningRates);
    const numbers = tf.tensor1d(this.optimizer.numbersOf(sets));
    const given = [gradient, numbers, ...this.given(prepared)];
    const [norm, ...updated] = await running(recorded, 'backward', (parts) => parts[1]!.start(given)).finally(() =>
      numbers.dispose(),
    );
    const names = this.trained;
    for (const [i, name] of names.entries()) parameters[name]!.assign(updated[i]!);
    for (const [i, name] of recorded.statistics.entries()) buffers[name]!.assign(updated[names.length + i]!);
    for (const value of updated) value.dispose();
    return pendingNumber(norm!);
  }

  /** In place of `backward`: frees what was kept for it. */
  discard(): void {
    this.taken().recorded.functions.discard();
  }

  /** Forgets the functions. */
  dispose(): void {
    for (const { functions } of this.recorded.values()) functions.dispose();
    this.recorded.clear();
  }

  private taken(): { readonly recorded: Recorded; readonly prepared: PreparedBatch } {
    const { under } = this;
    if (under === null) throw new Error('a backward pass without its forward pass');
    this.under = null;
    return under;
  }

  private nextUpdate(learningRates: LearningRates): ReturnType<AdamW['nextUpdate']> {
    return this.optimizer.nextUpdate(this.trained, learningRates);
  }

  private given({ tensors }: PreparedBatch): Tensor[] {
    const { parameters, buffers } = this.network.state;
    // Counts of batches are the host's.
    const statistics = Object.values(buffers).filter(({ dtype }) => dtype === 'float32');
    return [...tensors, ...Object.values(parameters), ...statistics];
  }

  private record(prepared: PreparedBatch, sets: readonly UpdateSet[]): Recorded {
    const recorded = this.recordIn(this.order, prepared, sets);
    if (this.order === 'recorded' || recorded.functions.computedBytes <= bytesInAnyOrder) return recorded;
    recorded.functions.dispose();
    this.order = 'recorded';
    return this.recordIn(this.order, prepared, sets);
  }

  private recordIn(order: Order, prepared: PreparedBatch, sets: readonly UpdateSet[]): Recorded {
    const { parameters } = this.network.state;
    const leaves = Object.fromEntries(this.trained.map((name) => [name, parameters[name]!]));
    const given = this.given(prepared);
    return tidy(() => {
      const recording = new Recording('training_step', order);
      const pass = recording.part(
        'forward',
        given,
        () => forwardPass(() => prepared.forward(), leaves),
        ({ value }) => [value.vertices],
      );
      const { vertices, statistics } = pass.value;
      const gradient = tf.zeros(vertices.shape);
      const numbers = tf.tensor1d(this.optimizer.numbersOf(sets));
      recording.part(
        'backward',
        [gradient, numbers, ...given],
        () => this.update(pass.backward([[vertices, gradient]]), statistics, sets, numbers),
        (outputs) => outputs,
      );
      for (const value of Object.values(statistics)) value.dispose();
      return { functions: recording.finish(), statistics: Object.keys(statistics) };
    });
  }

  /** @returns the norm, the new parameters, the new statistics: in these orders. */
  private update(
    gradients: Readonly<Record<string, Tensor>>,
    statistics: StatisticsUpdate,
    sets: readonly UpdateSet[],
    numbers: Tensor,
  ): Tensor[] {
    const { buffers } = this.network.state;
    const { norm, isFinite, gradients: clipped } = clipByGlobalNorm(gradients, this.clipping);
    const constants = adamConstants(numbers).map((each) => adamConstantsIf(isFinite, each));
    const updated = this.optimizer.updated(clipped, sets, constants);
    return [
      norm,
      ...this.trained.map((name) => updated[name]!),
      ...Object.entries(statistics).map(([name, value]) => selected(isFinite, value, buffers[name]!)),
    ];
  }
}

/** Runs a part; where it fails, nothing is left in TensorFlow that the next step would take for its own. */
async function running(
  { functions }: Recorded,
  phase: 'forward' | 'backward',
  start: (parts: readonly RecordedFunction[]) => Promise<Tensor[]>,
): Promise<Tensor[]> {
  try {
    return await inPhaseOfPromise(phase, () => start(functions.parts));
  } catch (cause) {
    functions.discard();
    throw cause;
  }
}
