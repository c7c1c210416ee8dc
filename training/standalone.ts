import type { LoaderSource } from '../datasets/batches/settings.js';
import { tensorMemory } from '../tensor/index.js';
import { openStageData } from './openStageData.js';
import type { TrainingJob } from './protocol.js';
import { trainStage } from './trainStage.js';

const phases = ['batch', 'forward', 'loss', 'backward', 'update'] as const;

/** Trains a stage in this process and prints what it does: losses, and where the time goes. */
export async function trainStandalone(job: TrainingJob, source: LoaderSource, signal: AbortSignal): Promise<void> {
  const sums = { batch: 0, forward: 0, loss: 0, backward: 0, update: 0 };
  let steps = 0;
  let printed = -1;
  const result = await trainStage(
    job,
    (event) => {
      if (event.kind === 'progress') {
        const { step, loss, totalSteps, stepsPerSecond } = event.progress;
        if (step % job.configuration.training[job.stage].logEvery !== 0 || step === printed) return;
        printed = step;
        const times = phases.map((phase) => `${phase} ${(sums[phase] / Math.max(1, steps)).toFixed(0)}`).join(', ');
        console.log(
          `${step}/${totalSteps} loss ${loss?.toPrecision(5)} ${stepsPerSecond.toFixed(2)} steps/s; ` +
            `ms a step: ${times}; ${tensorMemory().tensors} tensors, peak ${(tensorMemory().peakBytes / 2 ** 20).toFixed(0)} MiB`,
        );
        steps = 0;
        for (const phase of phases) sums[phase] = 0;
      } else {
        console.log(JSON.stringify(event));
      }
    },
    signal,
    {
      openData: (trained) => openStageData(trained, source),
      onStep: (milliseconds) => {
        steps++;
        for (const phase of phases) sums[phase] += milliseconds[phase];
      },
    },
  );
  console.log(JSON.stringify(result));
}
