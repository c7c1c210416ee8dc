import { randomBytes } from 'node:crypto';
import { describeError } from './describeError.js';
import { StageStopped } from '../errors.js';
import { faultOf } from './faults.js';
import type { TrainerEvent, TrainingJob } from './protocol.js';
import { trainMending } from './trainMending.js';
import type { TrainStageTools } from './trainStage.js';

/**
 * `trainMending` for a process: its end is reported as an event, whatever it is. Progress is reported at most twice a second.
 */
export async function runTrainer(
  job: TrainingJob,
  report: (event: TrainerEvent) => void,
  signal: AbortSignal,
  tools: TrainStageTools = {},
): Promise<void> {
  // A process of its own in the manifest, also when one attempt starts several.
  const attempt = `${job.attempt}-${randomBytes(3).toString('hex')}`;
  try {
    const result = await trainMending({ ...job, attempt }, sparingly(report), signal, tools);
    report({ kind: 'finished', result });
  } catch (error) {
    if (error instanceof StageStopped) {
      report({ kind: 'stopped', step: error.step, checkpoint: error.checkpoint });
      return;
    }
    report({ kind: 'failed', fault: faultOf(error), message: describeError(error) });
  }
}

const progressInterval = 500;

function sparingly(report: (event: TrainerEvent) => void): (event: TrainerEvent) => void {
  let last = -Infinity;
  return (event) => {
    if (event.kind === 'progress') {
      const { step, totalSteps } = event.progress;
      const now = performance.now();
      if (now - last < progressInterval && step < totalSteps) return;
      last = now;
    }
    report(event);
  };
}
