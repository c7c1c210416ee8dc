import type { PredictorCommand, PredictorEvent } from '../inference/protocol.js';
import { prepareTensorFlow } from './prepareTensorFlow.js';
import { serveParent } from './supervisedProcess.js';

/** The predictor process: a GPU worker's child that predicts one shard of frames and exits (inference/protocol.ts). */
type Start = Extract<PredictorCommand, { kind: 'predict' }>;

serveParent<Start, PredictorEvent>({
  isStart: (message): message is Start => message.kind === 'predict',
  graceSeconds: ({ job }) => job.configuration.checkpoints.graceSeconds,
  run: async ({ job }, report, signal) => {
    report({ kind: 'starting', message: 'Loading TensorFlow' });
    prepareTensorFlow(job.configuration);
    const { runPredictor } = await import('../inference/runPredictor.js');
    await runPredictor(job, report, signal);
  },
});
