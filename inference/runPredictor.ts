import { describeError } from '../training/process/describeError.js';
import { predictorFaultOf } from './faults.js';
import { planFolders } from './folders/planFolders.js';
import { predictFolders } from './folders/predictFrameList.js';
import { PredictionStopped, predictFrames } from './predictFrames.js';
import type { PredictorEvent, PredictorStart } from './protocol.js';

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

function resultOf(
  start: PredictorStart,
  report: (event: PredictorEvent<unknown>) => void,
  signal: AbortSignal,
): Promise<unknown> {
  switch (start.kind) {
    case 'predict':
      return predictFrames(start.job, report, signal);
    case 'predict-folders':
      return predictFolders(start.job, report, signal);
    case 'plan-folders':
      return planFolders(start.job, (message) => report({ kind: 'starting', message }), signal);
  }
}
