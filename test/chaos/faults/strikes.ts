import type { RunConfiguration } from '../../../configs/schema/run.js';
import { trainingStages, type TrainingStage } from '../../../configs/schema/training.js';
import { counterRandom } from '../../../geometry/random.js';
import { resumptions, type JournalStep } from '../cluster/journal.js';
import { setPace, type Place } from '../cluster/pace.js';
import { goesOn, RunEnded, until, type Scene } from '../scene.js';
import type { Event, Planned } from './schedule.js';

/** A fault that struck. */
export interface Strike {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Seconds into the run. */
  readonly seconds: number;
  readonly where: string;
  /** Steps that were made again for it; null outside of training. */
  readonly repeated: number | null;
  /** Seconds until the work went on. */
  readonly standstill: number;
  /** How many intervals of checkpoints each resumption may repeat. */
  readonly intervals: number;
}

export interface StrikeOptions {
  readonly planned: readonly Event[];
  readonly configuration: RunConfiguration;
  readonly report: (line: string) => void;
}

/** One after the other; each when the one before has been got over. */
export async function strikeAll(
  scene: Scene,
  startedAt: number,
  { planned, configuration, report }: StrikeOptions,
  strikes: Strike[],
): Promise<void> {
  for (const [index, event] of planned.entries()) {
    const next = planned[index + 1];
    const creepToNext = (): void =>
      setPace(scene.cluster.paceFile, next === undefined ? null : placeOf(next, configuration));
    creepToNext();
    let at = 0;
    let where = '';
    const struck = (place: string): void => {
      at = Date.now();
      where = place;
    };
    const name = event.kind === 'training' ? event.planned.fault.name : event.fault.name;
    try {
      if (event.kind === 'training') await strikeTraining(scene, event.planned, struck, creepToNext);
      else await event.fault.strike(scene, () => struck(event.fault.step));
    } catch (error) {
      if (error instanceof RunEnded) return;
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    const seconds = (at - startedAt) / 1000;
    const standstill = (Date.now() - at) / 1000;
    const intervals = event.kind === 'training' ? event.planned.fault.intervals : 1;
    strikes.push({ name, at, seconds, where, repeated: null, standstill, intervals });
    report(
      `  ${seconds.toFixed(0).padStart(4)} s  ${where.padEnd(24)}  ${name}: went on after ${standstill.toFixed(1)} s`,
    );
  }
}

/** Steps before the end of a stage from which on it is waited for what is to strike after it. */
const stepsBefore = 25;

/** From where on trainers are to wait for an event. */
function placeOf(event: Event, { training }: RunConfiguration): Place | null {
  if (event.kind === 'training') return event.planned;
  const stage = ({ predictions: 'coarse-finetuning', evaluation: 'refinement' } as const)[event.fault.step as string];
  return stage === undefined ? null : { stage, step: training[stage].iterations - stepsBefore };
}

/** @param creepToNext makes trainers wait for what strikes next. */
async function strikeTraining(
  scene: Scene,
  planned: Planned,
  struck: (where: string) => void,
  creepToNext: () => void,
): Promise<void> {
  const { cluster, ended } = scene;
  const order = (stage: TrainingStage): number => trainingStages.indexOf(stage);
  const step = await until(ended, `step ${planned.step} of ${planned.stage}`, () => {
    const { last } = cluster.journal;
    if (last === null || order(last.stage) < order(planned.stage)) return null;
    return order(last.stage) > order(planned.stage) || last.step >= planned.step ? last : null;
  });
  struck(`${step.stage} ${step.step}`);
  // Creeping to a request that comes with a checkpoint would take as many seconds as there are steps to it.
  if (planned.fault.awaits) setPace(cluster.paceFile, null);
  const { uniform } = counterRandom(planned.seed, 'chaos choice');
  const choose = (bound: number): number => Math.floor(uniform() * bound);
  const harmed = await planned.fault.inject({ ...scene, choose }, () => {
    const { last } = cluster.journal;
    struck(last === null ? '' : `${last.stage} ${last.step}`);
    creepToNext();
  });
  creepToNext();
  await goesOn(scene, harmed);
}

/** Resumptions that made more steps again than lie between two checkpoints (or what a fault allows); human-readable. */
export function tooManyRepeated(
  strikes: readonly Strike[],
  steps: readonly JournalStep[],
  { training }: RunConfiguration,
): string[] {
  return resumptions(steps).flatMap(({ at, stage, from, repeated, attempt }) => {
    const strike = strikes.filter((other) => other.at <= at).at(-1);
    const limit = training[stage].checkpointEvery * (strike?.intervals ?? 1);
    const what = `${stage}: attempt ${attempt} went on from step ${from}, and ${repeated} steps were made again`;
    return repeated > limit ? [`${what}, more than ${limit} (${strike?.name ?? 'nothing had struck'})`] : [];
  });
}
