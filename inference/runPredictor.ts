import { describeError } from '../training/describeError.js';
import { faultOf } from '../training/faults.js';
import { PredictionStopped, predictFrames, type PredictFramesTools } from './predictFrames.js';
import type { PredictionJob, PredictorEvent } from './protocol.js';

/** `predictFrames` for a process: its end is told as an event, whatever it is. */
export async function runPredictor(
  job: PredictionJob,
  report: (event: PredictorEvent) => void,
  signal: AbortSignal,
  tools: PredictFramesTools = {},
): Promise<void> {
  try {
    const result = await predictFrames(job, report, signal, tools);
    report({ kind: 'finished', result });
  } catch (error) {
    if (error instanceof PredictionStopped) report({ kind: 'stopped' });
    else report({ kind: 'failed', fault: predictorFault(error), message: describeError(error) });
  }
}

function predictorFault(error: unknown): Extract<PredictorEvent, { kind: 'failed' }>['fault'] {
  const fault = faultOf(error);
  // What only training can do does not happen here.
  return fault === 'diverged' || fault === 'lease-lost' ? 'infrastructure' : fault;
}
