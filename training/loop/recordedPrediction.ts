import type { Batch } from '../../datasets/types.js';
import type { ModelState } from '../../model/types.js';
import { inPhase, Recording, tidy, type Order, type RecordedFunctions, type Tensor } from '../../tensor/index.js';
import type { StageNetwork } from '../networks/stageNetwork.js';

/** Shapes of batches that are recorded at a time: those of a data set's frames, and of the batch that is left at its end. */
const shapesAtMost = 16;

/**
 * Predictions that compute no more than this have their operations run in any order, several at once. (A prediction keeps
 * little: its operations mostly wait for each other. A coarse one of 16 views takes 0.1 GB more, of 2.9 GB computed.)
 */
const bytesInAnyOrder = 4096 * 2 ** 20;

/**
 * A network as it is used after training (identity grids, running statistics), as a function of TensorFlow that is recorded
 * at the first batch of each shape: one call instead of a thousand.
 */
export class RecordedPrediction {
  private readonly recorded = new Map<string, RecordedFunctions>();
  private order: Order = 'any';

  /** @param state is given at each run: its values may change. */
  constructor(private readonly state: ModelState) {}

  /**
   * @param tensors all that is the batch's own, in an order that does not change.
   * @param forward what is computed of them and of the state, the vertices first.
   * @returns the outputs' numbers; the caller's.
   */
  run(tensors: readonly Tensor[], forward: () => readonly Tensor[]): Float32Array[] {
    const { parameters, buffers } = this.state;
    // Counts of batches are the host's.
    const statistics = Object.values(buffers).filter(({ dtype }) => dtype === 'float32');
    const given = [...tensors, ...Object.values(parameters), ...statistics];
    const functions = this.functionsFor(tensors, given, forward);
    return tidy(() => {
      const found = inPhase('forward', () => numbersOf(functions.parts[0]!.run(given)));
      // Logits that are too far apart for the shift that a function takes: the operations by themselves look at their sums.
      return found[0]!.every(Number.isFinite) ? found : numbersOf(forward());
    });
  }

  /** Forgets the functions. The state stays. */
  dispose(): void {
    for (const functions of this.recorded.values()) functions.dispose();
    this.recorded.clear();
  }

  private functionsFor(
    tensors: readonly Tensor[],
    given: readonly Tensor[],
    forward: () => readonly Tensor[],
  ): RecordedFunctions {
    const name = tensors.map(({ shape }) => shape.join('×')).join(' ');
    const known = this.recorded.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.recorded.keys();
    if (this.recorded.size >= shapesAtMost) {
      this.recorded.get(oldest!)!.dispose();
      this.recorded.delete(oldest!);
    }
    const record = (order: Order): RecordedFunctions =>
      tidy(() => {
        const recording = new Recording('prediction', order);
        recording.part(
          'forward',
          given,
          () => tidy(forward),
          (outputs) => outputs,
        );
        return recording.finish();
      });
    let functions = record(this.order);
    if (this.order === 'any' && functions.computedBytes > bytesInAnyOrder) {
      functions.dispose();
      this.order = 'recorded';
      functions = record(this.order);
    }
    this.recorded.set(name, functions);
    return functions;
  }
}

function numbersOf(tensors: readonly Tensor[]): Float32Array[] {
  return tensors.map((tensor) => tensor.dataSync<'float32'>().slice());
}

/** Predicts batches by the network of a stage. */
export class BatchPredictor {
  private readonly prediction: RecordedPrediction;

  constructor(private readonly network: StageNetwork) {
    this.prediction = new RecordedPrediction(network.state);
  }

  /** @returns `[B, L, 3]` mm; the caller's. */
  predict(batch: Batch): Float32Array {
    return tidy(() => {
      const prepared = this.network.prepare(batch, 'evaluation');
      const [vertices] = this.prediction.run(prepared.tensors, () => [prepared.forward().vertices]);
      return vertices!;
    });
  }

  dispose(): void {
    this.prediction.dispose();
  }
}
