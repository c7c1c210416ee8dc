import { describeError } from '../training/process/describeError.js';
import { predictorFaultOf } from './faults.js';
import type { PredictorEvent, PredictorStart } from './protocol.js';
import { PredictionStopped } from './stopped.js';

/** Does the job of a predictor process. Its end is reported as an event, whatever it is; the result is the plan of one. */
export async function runPredictor(
  start: PredictorStart,
  report: (event: PredictorEvent<unknown>) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const result = await resultOf(start, report, signal);
    report({ kind: 'finished', result });
  } catch (error) {
    const fault = predictorFaultOf(error);
    // Told to stop while it waits for the store, it ends with whatever the waiting ends with.
    if (error instanceof PredictionStopped || (signal.aborted && fault === 'infrastructure'))
      report({ kind: 'stopped' });
    else {
      report({ kind: 'failed', fault, message: describeError(error, fault !== 'infrastructure') });
    }
  }
}

/** What only another kind of job needs is not loaded: TensorFlow for planning, published files for a run's frames. */
async function resultOf(
  start: PredictorStart,
  report: (event: PredictorEvent<unknown>) => void,
  signal: AbortSignal,
): Promise<unknown> {
  switch (start.kind) {
    case 'predict':
      return (await import('./predictFrames.js')).predictFrames(start.job, report, signal);
    case 'predict-folders':
      return (await import('./folders/predictFrameList.js')).predictFolders(start.job, report, signal);
    case 'plan-folders':
      return (await import('./folders/planFolders.js')).planFolders(
        start.job,
        (message) => report({ kind: 'starting', message }),
        signal,
      );
  }
}
