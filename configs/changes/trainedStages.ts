import { ConfigurationError, type ConfigurationProblem } from '../configurationError.js';
import type { RunConfiguration } from '../schema/run.js';
import { trainingStages, type TrainingStage } from '../schema/training.js';

/** How far the stages of a run have been trained: the newest checkpoint of each that has one. */
export type TrainedStages = Partial<Record<TrainingStage, { readonly step: number; readonly finished: boolean }>>;

/**
 * Refuses other totals of iterations than a run's checkpoints allow: less than has been trained, and another end for a
 * stage that a later one was built on, whose weights would come from a model that the run no longer has.
 *
 * @throws ConfigurationError naming each stage, what was trained, and the way out.
 */
export function refuseIterations(
  run: string,
  before: RunConfiguration,
  after: RunConfiguration,
  trained: TrainedStages,
): void {
  const problems = trainingStages.flatMap((stage): ConfigurationProblem[] => {
    const [was, is] = [before.training[stage].iterations, after.training[stage].iterations];
    if (was === is) return [];
    const expected = whyNot(run, stage, was, is, trained);
    if (expected === null) return [];
    return [{ where: `run ${run}`, setting: `training.${stage}.iterations`, found: String(is), expected }];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function whyNot(run: string, stage: TrainingStage, was: number, is: number, trained: TrainedStages): string | null {
  const reached = trained[stage];
  const back = `Give it ${was} again`;
  if (reached !== undefined && is < reached.step) {
    return `${stage} has been trained to step ${reached.step}. ${back}, or at least ${reached.step}.`;
  }
  const later = trainingStages.slice(trainingStages.indexOf(stage) + 1).find((name) => trained[name] !== undefined);
  if (later === undefined || (reached?.finished === true && reached.step === is)) return null;
  const branch = `tempeh-flow start full-training --from ${run}/${stage} --run NAME --set training.${stage}.iterations=${is}`;
  return `${later} was built on what ${stage} ended with. ${back}, or branch a run, which trains ${later} anew: ${branch}.`;
}
