import { openSource } from '../datasets/batches/loader.js';
import type { LoaderSource } from '../datasets/batches/settings.js';
import type { Split } from '../datasets/types.js';
import { viewChoiceOf } from '../datasets/views.js';
import { predictFrames } from './predictFrames.js';
import type { PredictionJob } from './protocol.js';

/** Predicts in this process what refinement trains on (`coarse`), or the test set (`both`), and prints how it goes. */
export async function predictStandalone(
  job: Pick<PredictionJob, 'run' | 'configuration' | 'workingDirectory'>,
  source: LoaderSource,
  stages: 'coarse' | 'both',
  signal: AbortSignal,
): Promise<void> {
  const opened = await openSource({ source, ...viewChoiceOf(job.configuration) }, { warn: console.error, signal });
  const splits: Split[] = stages === 'coarse' ? ['train', 'validation'] : ['test'];
  const wanted: PredictionJob['frames'][number][] = [];
  for (const split of splits) {
    const ids = await opened.range(split, 0, opened.count(split));
    wanted.push(...ids.map((id) => ({ split, id })));
  }
  const result = await predictFrames(
    { ...job, stages, frames: wanted },
    (event) => {
      if (event.kind !== 'progress' || event.progress.done % 20 === 0) console.log(JSON.stringify(event));
    },
    signal,
    { source },
  );
  console.log(JSON.stringify(result));
}
