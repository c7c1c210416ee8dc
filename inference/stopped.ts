/** Thrown when prediction was told to stop; what was predicted is there. */
export class PredictionStopped extends Error {
  override readonly name = 'PredictionStopped';
}
