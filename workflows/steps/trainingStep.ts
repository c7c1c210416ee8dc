import { proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import type { GpuActivities, StageExtension } from '../../activities/types.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import type { StageResult } from '../../training/process/protocol.js';
import { gpuActivity } from '../control/activityOptions.js';
import { Iterations } from '../control/iterations.js';
import { knownStepOf, withProgress } from '../control/knownSteps.js';
import * as messages from '../messages.js';
import { stageNote } from '../progress/notes.js';
import { runStep, type StepContext } from '../control/step.js';
import type { StepInput } from '../types.js';

/** One training stage on a GPU worker. A stage that has been finished before is recognised by the activity. */
export function trainingStep(stage: TrainingStage, input: StepInput): Promise<StageResult> {
  const iterations = new Iterations(input);
  let running: StepContext | null = null;
  handleExtensions(stage, iterations, () => running);
  return runStep(stage, input, async (context) => {
    running = context;
    const { board, pauses, ends } = context;
    let known = input.knownSteps ?? {};
    const train = () => {
      const options = gpuActivity(input.configuration, `train to step ${iterations.of(stage)}`);
      const knownStep = knownStepOf(withProgress(known, board.progress().training), stage);
      const told = knownStep === undefined ? {} : { knownStep };
      return proxyActivities<GpuActivities>(options).trainStage({ ...iterations.input, stage, ...told });
    };
    const onFailure = (failure: unknown, paused: boolean) => {
      const { progress, interruptions } = ends.of(failure);
      known = withProgress(known, progress ?? null);
      if (paused && progress !== undefined) board.setTraining(progress);
      board.interrupted(stage, interruptions);
    };
    for (;;) {
      const result = await pauses.run(train, onFailure);
      board.interrupted(stage, result.interruptions);
      known = { ...known, [stage]: result.checkpoint.step };
      if (await iterations.isShort(stage, result.step)) continue;
      const interruptions = board.interruptions(stage);
      return { result: { ...result, ...(interruptions && { interruptions }) }, note: stageNote(result) };
    }
  });
}

/** Of a step that was started by itself by update, of a run's step by its parent's signal: that has stored it. */
function handleExtensions(stage: TrainingStage, iterations: Iterations, context: () => StepContext | null): void {
  setHandler(
    messages.extendStepSignal,
    (extension) => {
      iterations.take(extension);
      context()?.pauses.interrupt();
    },
    { description: messages.descriptions.internal },
  );
  setHandler(
    messages.extendUpdate,
    async (extension) => {
      await iterations.extend(extension);
      context()!.pauses.interrupt();
      return context()!.board.progress();
    },
    {
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
      description: messages.descriptions.extend,
      validator: (extension: StageExtension) => {
        const { parent } = workflowInfo();
        if (parent !== undefined) throw new Error(`It is a step of ${parent.workflowId}: extend that.`);
        if (extension.stage !== stage) throw new Error(`This workflow trains ${stage}, not ${extension.stage}.`);
        if (context() === null) throw new Error('It is just being started: try again.');
        iterations.validate(extension);
      },
    },
  );
}
