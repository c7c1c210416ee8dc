import type { TrainerCommand, TrainerEvent } from '../training/process/protocol.js';
import { graceOf } from '../configs/grace.js';
import { shareOf } from '../configs/slots.js';
import { prepareTensorFlow } from './prepareTensorFlow.js';
import { serveParent } from './supervisedProcess.js';

/**
 * The trainer process: a GPU worker's child that trains one stage and exits (training/process/protocol.ts). TensorFlow is loaded
 * when the job is known, for some of its settings are read then.
 */
type Start = Extract<TrainerCommand, { kind: 'train' }>;

serveParent<Start, TrainerEvent>({
  isStart: (message): message is Start => message.kind === 'train',
  graceSeconds: ({ job }) => graceOf()?.saveSeconds ?? job.configuration.checkpoints.graceSeconds,
  failed: (message) => ({ kind: 'failed', fault: 'infrastructure', message }),
  run: async ({ job }, report, signal) => {
    report({ kind: 'starting', message: 'Loading TensorFlow' });
    prepareTensorFlow(job.configuration);
    const { runTrainer } = await import('../training/process/runTrainer.js');
    const { openStageData } = await import('../training/process/openStageData.js');
    const grace = graceOf();
    await runTrainer(job, report, signal, {
      // The configuration that is stored with checkpoints is the run's own.
      openData: (trained, listener) => {
        const { configuration } = trained;
        return openStageData(
          { ...trained, configuration: { ...configuration, loader: shareOf(configuration.loader) } },
          listener,
        );
      },
      ...(grace === null ? {} : { graceSeconds: grace.saveSeconds }),
    });
  },
});
