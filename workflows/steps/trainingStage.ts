import {
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import type { GpuActivities, StageExtension } from '../../activities/types.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import type { StageResult } from '../../training/process/protocol.js';
import { gpuActivity } from '../control/activityOptions.js';
import { HistoryFull, whenFull } from '../control/fullHistory.js';
import { Iterations } from '../control/iterations.js';
import { knownStepOf, withProgress } from '../control/knownSteps.js';
import * as messages from '../messages.js';
import { stageNote } from '../../text/stepNotes.js';
import { runStep, type StepContext } from '../control/step.js';
import type { KnownSteps, StepInput } from '../types.js';

/**
 * One training stage on a GPU worker. A stage that has been finished before is recognised by the activity. Where its history
 * has become long, what trains saves and goes on in a new execution: a stage may last as long as it likes.
 */
export async function runTrainingStage(stage: TrainingStage, input: StepInput): Promise<StageResult> {
  const iterations = new Iterations(input);
  let running = null as StepContext | null;
  let known = input.knownSteps ?? {};
  let isFull = false;
  handleExtensions(stage, iterations, () => running);
  whenFull(() => {
    isFull = true;
    running?.pauses.interrupt();
  });
  const knownNow = () => withProgress(known, running?.board.progress().training ?? null);
  const train = () => {
    if (isFull) throw new HistoryFull();
    const options = gpuActivity(input.configuration, `train to step ${iterations.of(stage)}`);
    const knownStep = knownStepOf(knownNow(), stage);
    const told = knownStep === undefined ? {} : { knownStep };
    return proxyActivities<GpuActivities>(options).trainStage({ ...iterations.input, stage, ...told });
  };
  try {
    return await runStep(stage, input, async (context) => {
      running = context;
      const { board, pauses, ends } = context;
      const onFailure = (failure: unknown, paused: boolean) => {
        if (failure instanceof HistoryFull) return;
        const { progress, interruptions } = ends.of(failure);
        known = withProgress(known, progress ?? null);
        // Where a stage stands that was stopped for good; workers of an earlier version may have stopped it.
        const isOver =
          !paused && isCancellation(failure) && progress !== undefined && patched('stands-where-cancelled');
        if ((paused || isOver) && progress !== undefined) board.setTraining(progress);
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
  } catch (failure) {
    if (!(failure instanceof HistoryFull)) throw failure;
    return goOnInNewHistory(stage, iterations, running, knownNow());
  }
}

function goOnInNewHistory(
  stage: TrainingStage,
  { input }: Iterations,
  context: StepContext | null,
  knownSteps: KnownSteps,
): Promise<never> {
  const interruptions = context?.board.interruptions(stage);
  return continueAsNew<(next: StepInput) => Promise<StageResult>>({
    ...input,
    ...(interruptions && { interruptions: { [stage]: interruptions } }),
    ...(Object.keys(knownSteps).length > 0 && { knownSteps }),
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
