import { proxyActivities } from '@temporalio/workflow';
import type { GpuActivities, RunInput } from '../activities/types.js';
import type { TrainingStage } from '../configs/schema/training.js';
import { taskQueues } from '../configs/temporal.js';
import type { StageResult } from '../training/protocol.js';
import { longActivity } from './activityOptions.js';
import { detailsOf } from './interruptions.js';
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
        const { progress, interruptions } = detailsOf(interruption);
        if (progress !== undefined) board.setTraining(progress);
        board.interrupted(stage, interruptions);
      },
    );
    board.interrupted(stage, result.interruptions);
    const interruptions = board.interruptions(stage);
    return { result: { ...result, ...(interruptions && { interruptions }) }, note: stageNote(result) };
  });
}
