import type { LoaderSource } from '../../datasets/batches/settings.js';
import { tensorMemory } from '../../tensor/index.js';
import { openStageData } from './openStageData.js';
import type { TrainingJob } from './protocol.js';
import { trainStage } from './trainStage.js';

const phases = ['batch', 'forward', 'loss', 'backward', 'update', 'show', 'save'] as const;

/** Trains a stage in this process and prints what it does: losses, and where the time goes. */
export async function trainStandalone(job: TrainingJob, source: LoaderSource, signal: AbortSignal): Promise<void> {
  const sums = { batch: 0, forward: 0, loss: 0, backward: 0, update: 0, show: 0, save: 0 };
  let steps = 0;
  const { logEvery, iterations } = job.configuration.training[job.stage];
  const result = await trainStage(
    job,
    (event) => {
      if (event.kind !== 'progress') console.log(JSON.stringify(event));
    },
    signal,
    {
      openData: (trained, listener) => openStageData(trained, listener, source),
      onStep: (milliseconds, { step, loss }) => {
        steps++;
        for (const phase of phases) sums[phase] += milliseconds[phase];
        if (step % logEvery !== 0) return;
        const times = phases.map((phase) => `${phase} ${(sums[phase] / steps).toFixed(0)}`).join(', ');
        const { tensors, peakBytes } = tensorMemory();
        const memory = `${tensors} tensors, peak ${(peakBytes / 2 ** 20).toFixed(0)} MiB`;
        console.log(`${step}/${iterations} loss ${loss?.toPrecision(5)}; ms a step: ${times}; ${memory}`);
        steps = 0;
        for (const phase of phases) sums[phase] = 0;
      },
    },
  );
  console.log(JSON.stringify(result));
}
