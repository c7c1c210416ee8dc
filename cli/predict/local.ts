import type { FolderPredictionJob } from '../../inference/folders/job.js';
import type { PredictionResult, PredictorEvent } from '../../inference/protocol.js';
import { checkInstalledTensorFlow } from '../../infra/setup/tensorflow/checkInstalled.mjs';
import { prepareTensorFlow } from '../../workers/prepareTensorFlow.js';
import { useLocalObjectStore } from '../connection.js';
import { untilStopped } from '../terminal/untilStopped.js';

/** Seconds for the frame at hand, on a slow processor. */
const frameSeconds = 120;

/** Predicts in this process. Told to stop, it ends after the frame at hand. @throws Interrupted */
export async function predictLocally(
  job: FolderPredictionJob,
  report: (event: PredictorEvent) => void,
): Promise<PredictionResult> {
  useLocalObjectStore();
  await checkInstalledTensorFlow();
  prepareTensorFlow(job.configuration);
  return untilStopped(
    async (signal) => {
      const { predictFolders } = await import('../../inference/folders/predictFrameList.js');
      return predictFolders(job, report, signal);
    },
    'Interrupted: what was predicted is there; the same command goes on.',
    { endSeconds: frameSeconds },
  );
}
