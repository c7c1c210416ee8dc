import type { PredictorEvent, PredictorStart } from '../inference/protocol.js';
import { graceOf } from '../configs/grace.js';
import { shareOf } from '../configs/slots.js';
import { prepareTensorFlow } from './prepareTensorFlow.js';
import { serveParent } from './supervisedProcess.js';

/** The predictor process: a GPU worker's child that predicts one shard of frames and exits (inference/protocol.ts). */
const starts: Readonly<Record<string, true>> = {
  predict: true,
  'plan-folders': true,
  'predict-folders': true,
} satisfies Record<PredictorStart['kind'], true>;

serveParent<PredictorStart, PredictorEvent<unknown>>({
  isStart: (message): message is PredictorStart => Object.hasOwn(starts, message.kind),
  graceSeconds: ({ job }) => graceOf()?.saveSeconds ?? job.configuration.checkpoints.graceSeconds,
  failed: (message) => ({ kind: 'failed', fault: 'infrastructure', message }),
  run: async (start, report, signal) => {
    report({ kind: 'starting', message: 'Loading TensorFlow' });
    prepareTensorFlow(start.job.configuration);
    const { runPredictor } = await import('../inference/runPredictor.js');
    const { configuration } = start.job;
    const shared = { ...start.job, configuration: { ...configuration, loader: shareOf(configuration.loader) } };
    await runPredictor({ ...start, job: shared } as PredictorStart, report, signal);
  },
});
