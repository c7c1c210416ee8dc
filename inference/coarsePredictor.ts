import type { RunConfiguration } from '../configs/schema/run.js';
import type { Batch } from '../datasets/types.js';
import { coarseForward, coarseLayout, disposeState, type ModelState } from '../model/index.js';
import { tidy } from '../tensor/index.js';
import { modelStateFrom } from '../training/process/stateArrays.js';
import type { LoadedModel } from '../checkpoints/reading/finalModel.js';
import { RecordedPrediction } from '../training/loop/recordedPrediction.js';
import { tensorsOf, viewTensors } from '../training/loop/viewTensors.js';

/** Where the localiser believes a head to be: how it placed the voxel grid. */
export interface Localisation {
  /** Mean of the transformed grid's positions, mm. */
  readonly centre: readonly [number, number, number];
  /** Row-major. */
  readonly rotation: readonly number[];
  /** Along the grid's axes, of the whole grid's size. */
  readonly scales: readonly number[];
}

/** What the coarse model says of one sample. */
export interface CoarsePrediction {
  /** `[L, 3]`, mm. The caller's. */
  readonly vertices: Float32Array;
  readonly localisation: Localisation;
}

/** The trained coarse model: views of calibrated cameras → vertices (method 2), identity grids, running statistics. */
export class CoarsePredictor {
  private readonly state: ModelState;
  private readonly prediction: RecordedPrediction;

  /** @param vertexCount L. @throws CheckpointMismatch when the weights are another network's. */
  constructor(
    private readonly configuration: RunConfiguration['model']['coarse'],
    { arrays, checkpoint }: LoadedModel,
    vertexCount: number,
  ) {
    this.state = modelStateFrom(coarseLayout(configuration, vertexCount), arrays, checkpoint.key);
    this.prediction = new RecordedPrediction(this.state);
  }

  /** One prediction a sample of the batch. */
  predict(batch: Batch): CoarsePrediction[] {
    const { configuration } = this;
    const predictions: CoarsePrediction[] = [];
    tidy(() => {
      const views = viewTensors(batch);
      const [values, linear, centres, scaleValues] = this.prediction.run(tensorsOf(views), () => {
        const { vertices, placement, scales } = coarseForward(this.state, views, { configuration, mode: 'evaluation' });
        return [vertices, placement.linear, placement.centre, scales];
      }) as [Float32Array, Float32Array, Float32Array, Float32Array];
      const samples = batch.shape.batch;
      const numbers = values.length / samples;
      for (let sample = 0; sample < samples; sample++) {
        predictions.push({
          vertices: values.slice(sample * numbers, (sample + 1) * numbers),
          localisation: this.localisation(
            linear.slice(9 * sample, 9 * sample + 9),
            centres.slice(3 * sample, 3 * sample + 3),
            scaleValues.slice(3 * sample, 3 * sample + 3),
          ),
        });
      }
    });
    return predictions;
  }

  dispose(): void {
    this.prediction.dispose();
    disposeState(this.state);
  }

  /** @param linear diag(scales) · rotation. @param position where the grid's offset 0 lies. */
  private localisation(
    linear: ArrayLike<number>,
    position: ArrayLike<number>,
    scales: ArrayLike<number>,
  ): Localisation {
    const { gridSide, gridSpacing } = this.configuration;
    // The offsets are not symmetric about 0 (method 2.2).
    const meanOffset = ((gridSide - 1) / 2 - Math.floor(gridSide / 2)) * gridSpacing;
    const coordinate = (axis: number): number => {
      const row = linear[3 * axis]! + linear[3 * axis + 1]! + linear[3 * axis + 2]!;
      return position[axis]! + row * meanOffset;
    };
    const rotation = Array.from(linear, (value, i) => value / scales[Math.floor(i / 3)]!);
    return {
      centre: [coordinate(0), coordinate(1), coordinate(2)],
      rotation,
      scales: Array.from(scales),
    };
  }
}
