import type { FolderPredictionJob } from '../../inference/folders/job.js';
import type { PredictionResult, PredictorEvent } from '../../inference/protocol.js';
import { prepareTensorFlow } from '../../workers/prepareTensorFlow.js';
import { Interrupted } from '../errors.js';
import { useLocalObjectStore } from '../connection.js';

/** Predicts in this process. Ctrl-C ends it after the frame at hand, a second one at once. @throws Interrupted */
export async function predictLocally(
  job: FolderPredictionJob,
  report: (event: PredictorEvent) => void,
): Promise<PredictionResult> {
  useLocalObjectStore();
  prepareTensorFlow(job.configuration);
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort(name);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  try {
    const { predictFolders } = await import('../../inference/folders/predictFrameList.js');
    return await predictFolders(job, report, stopping.signal);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'PredictionStopped') throw error;
    throw new Interrupted('Interrupted: what was predicted is there; the same command goes on.');
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
  }
}
