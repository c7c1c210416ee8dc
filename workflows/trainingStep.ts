import { CancelledFailure, proxyActivities } from '@temporalio/workflow';
import type { GpuActivities, RunInput } from '../activities/types.js';
import type { TrainingStage } from '../configs/schema/training.js';
import { taskQueues } from '../configs/temporal.js';
import type { StageProgress, StageResult } from '../training/protocol.js';
import { longActivity } from './activityOptions.js';
import { rootFailure } from './failures.js';
import { stageNote } from './notes.js';
import { runStep } from './step.js';

/** One training stage on a GPU worker. A stage that has been finished before is recognised by the activity. */
export function trainingStep(stage: TrainingStage, input: RunInput): Promise<StageResult> {
  return runStep(stage, input, async ({ board, pauses }) => {
    const { iterations } = input.configuration.training[stage];
    const options = longActivity(taskQueues.gpu, input.configuration, `train to step ${iterations}`);
    const { trainStage } = proxyActivities<GpuActivities>(options);
    const result = await pauses.run(
      () => trainStage({ ...input, stage }),
      (interruption) => {
        const progress = progressOf(interruption);
        if (progress !== undefined) board.setTraining(progress);
      },
    );
    return { result, note: stageNote(result) };
  });
}

/** A trainer that was stopped for a pause says in its failure's details how far it came. */
function progressOf(interruption: unknown): StageProgress | undefined {
  const root = rootFailure(interruption);
  return root instanceof CancelledFailure ? (root.details[0] as StageProgress | undefined) : undefined;
}
