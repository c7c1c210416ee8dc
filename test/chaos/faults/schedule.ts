import type { RunConfiguration } from '../../../configs/schema/run.js';
import { trainingStages, type TrainingStage } from '../../../configs/schema/training.js';
import { runSteps, type RunStep } from '../../../configs/temporal.js';
import { counterRandom } from '../../../geometry/random.js';
import { otherFaults, type OtherFault } from './otherFaults.js';
import type { TrainingFault } from './faultKinds.js';
import { trainingFaults } from './trainingFaults.js';

/** A fault, and the step at which it strikes. */
export interface Planned {
  readonly fault: TrainingFault;
  readonly stage: TrainingStage;
  /** Steps done, as the stage counts them. */
  readonly step: number;
  readonly seed: number;
}

/** The part of a stage, at its end, in which nothing is planned: what strikes there would strike the next. */
const quietShare = 0.15;

/**
 * Which faults strike a run's training, and when: follows from the seed alone. Every kind comes before one comes again;
 * over the stages they are spread by their steps.
 *
 * @param count how many.
 */
export function planTraining(
  seed: number,
  count: number,
  configuration: RunConfiguration,
  faults: readonly TrainingFault[] = trainingFaults,
): Planned[] {
  const { shuffle } = counterRandom(seed, 'chaos faults');
  const drawn: TrainingFault[] = [];
  while (drawn.length < count) drawn.push(...shuffle([...faults]));
  const spans = stageSpans(configuration);
  const total = spans.reduce((sum, { length }) => sum + length, 0);
  const { uniform } = counterRandom(seed, 'chaos moments');
  const moments = Array.from({ length: count }, () => uniform() * total).sort((a, b) => a - b);
  const planned = moments.map((moment, i): Planned => {
    let rest = moment;
    let at = 0;
    while (at < spans.length - 1 && rest >= spans[at]!.length) rest -= spans[at++]!.length;
    const span = spans[at]!;
    const fault = drawn[i]!;
    const step = Math.max(Math.floor(span.from + rest), span.from + fault.after * span.interval + 1);
    return { fault, stage: span.stage, step, seed: seed + i };
  });
  const order = (stage: TrainingStage): number => trainingStages.indexOf(stage);
  return planned.sort((a, b) => order(a.stage) - order(b.stage) || a.step - b.step);
}

/** The steps of each stage in which something may strike. */
function stageSpans({ training }: RunConfiguration): {
  stage: TrainingStage;
  from: number;
  length: number;
  interval: number;
}[] {
  return trainingStages.map((stage) => {
    const { iterations, checkpointEvery } = training[stage];
    const from = stage === 'coarse-finetuning' ? training['coarse-pretraining'].iterations : 0;
    return { stage, from, length: (iterations - from) * (1 - quietShare), interval: checkpointEvery };
  });
}

export type Event =
  /** At a step of a stage. */
  | { readonly kind: 'training'; readonly planned: Planned }
  /** While no stage trains. */
  | { readonly kind: 'other'; readonly fault: OtherFault };

export interface PlanOptions {
  readonly configuration: RunConfiguration;
  readonly seed: number;
  /** Faults in all. */
  readonly events: number;
  /** What may strike while a stage trains; all but the severe ones if absent. */
  readonly faults?: readonly TrainingFault[];
}

/** In the order of the run's steps. Of few, none but training's. */
export function plan({ events: count, seed, configuration, faults }: PlanOptions): Event[] {
  const others = faults === undefined && count >= 3 * otherFaults.length ? otherFaults : [];
  const training = planTraining(seed, count - others.length, configuration, faults);
  return runSteps.flatMap((step: RunStep): Event[] => [
    ...others.filter((fault) => fault.step === step).map((fault) => ({ kind: 'other', fault }) as const),
    ...training.filter(({ stage }) => stage === step).map((planned) => ({ kind: 'training', planned }) as const),
  ]);
}
