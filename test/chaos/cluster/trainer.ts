import { appendFileSync } from 'node:fs';
import type { StageData } from '../../../training/loop/stageData.js';
import type { TrainerCommand, TrainerEvent, TrainingJob } from '../../../training/process/protocol.js';
import { prepareTensorFlow } from '../../../workers/prepareTensorFlow.js';
import { serveParent } from '../../../workers/supervisedProcess.js';
import type { JournalStep } from './journal.js';
import { keepPace } from './pace.js';

/** The trainer process with one thing more: it writes down every step that it begins, into the file JOURNAL of its environment. */
type Start = Extract<TrainerCommand, { kind: 'train' }>;

/** What `trainStage` is given for it. The batch of a step comes while the step before still runs: that is not its beginning. */
function journaling(file: string, signal: AbortSignal) {
  let isRunning = false;
  let next: (() => void) | null = null;
  const begin = ({ stage, attempt }: TrainingJob, step: number, frames: string[]): void => {
    isRunning = true;
    // This process's clock may have been made to jump.
    const at = performance.timeOrigin + performance.now();
    const line: JournalStep = { at, pid: process.pid, attempt, stage, step, frames };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
  return {
    journaled: (data: StageData, job: TrainingJob): StageData => {
      isRunning = false;
      next = null;
      return {
        ...data,
        bytesRead: () => data.bytesRead(),
        close: () => data.close(),
        async batch(step) {
          await keepPace(job.stage, step);
          const batch = await data.batch(step);
          const frames = batch.frames.map(({ subject, sequence, frame }) => `${subject}/${sequence}/${frame}`);
          if (isRunning) next = () => begin(job, step, frames);
          else begin(job, step, frames);
          return batch;
        },
      };
    },
    onStep: (): void => {
      isRunning = false;
      if (!signal.aborted) next?.();
      next = null;
    },
  };
}

serveParent<Start, TrainerEvent>({
  isStart: (message): message is Start => message.kind === 'train',
  failed: (message) => ({ kind: 'failed', fault: 'infrastructure', message }),
  graceSeconds: ({ job }) => job.configuration.checkpoints.graceSeconds,
  run: async ({ job }, report, signal) => {
    const file = process.env['TEMPEH_TEST_JOURNAL'];
    if (file === undefined) throw new Error('JOURNAL names no file');
    report({ kind: 'starting', message: 'Loading TensorFlow' });
    prepareTensorFlow(job.configuration);
    const [{ runTrainer }, { openStageData }] = await Promise.all([
      import('../../../training/process/runTrainer.js'),
      import('../../../training/process/openStageData.js'),
    ]);
    const { journaled, onStep } = journaling(file, signal);
    await runTrainer(job, report, signal, {
      openData: async (trained, listener) => journaled(await openStageData(trained, listener), trained),
      onStep,
    });
  },
});
