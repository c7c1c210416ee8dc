import { join } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { trainingStages, type TrainingStage } from '../../configs/schema/training.js';
import { runSteps, type RunStep } from '../../configs/temporal.js';
import type { MiniatureSettings } from '../../datasets/miniature/settings.js';
import { counterRandom } from '../../geometry/random.js';
import { startRun } from '../../workers/runs.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { Cluster } from './cluster.js';
import { compareRuns, contentOf, type RunContent } from './compareRuns.js';
import { largestGap, resumptions, type JournalStep } from './journal.js';
import { otherFaults, type OtherFault } from './otherFaults.js';
import { goesOn, RunEnded, until, type Scene } from './scene.js';
import { setPace, type Place } from './pace.js';
import { planTraining, type Planned } from './schedule.js';

export interface ChaosOptions {
  readonly directory: string;
  readonly configuration: RunConfiguration;
  readonly miniature: Partial<MiniatureSettings>;
  readonly seed: number;
  /** Faults in all; those outside of training are among them where there are enough. */
  readonly events: number;
  readonly report: (line: string) => void;
}

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

export interface ChaosReport {
  readonly strikes: readonly Strike[];
  readonly undisturbedSeconds: number;
  readonly disturbedSeconds: number;
  readonly stages: readonly { readonly stage: TrainingStage; readonly step: number; readonly modelSha256: string }[];
  /** What was compared and found equal, of people. */
  readonly equal: readonly string[];
  /** What should not be; empty for a run that lost nothing. */
  readonly problems: readonly string[];
}

/** Trains twice, once undisturbed, once under a seeded schedule of faults, and compares what came of it to the last bit. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { report, configuration } = options;
  report('Undisturbed run …');
  const undisturbed = await withCluster('undisturbed', options, 1, async (cluster) => train(cluster));
  report(`  ${undisturbed.seconds.toFixed(0)} s`);
  return withCluster('disturbed', options, 2, async (cluster) => {
    report('Disturbed run …');
    const strikes: Strike[] = [];
    const disturbed = await train(cluster, (scene, startedAt) => strikeAll(scene, startedAt, options, strikes));
    report(`  ${disturbed.seconds.toFixed(0)} s`);
    const { steps } = cluster.journal;
    const told = strikes.map((strike, i) => withCost(strike, strikes[i + 1]?.at ?? Infinity, steps));
    const { equal, problems } = compareRuns(undisturbed.content, disturbed.content);
    return {
      strikes: told,
      undisturbedSeconds: undisturbed.seconds,
      disturbedSeconds: disturbed.seconds,
      stages: disturbed.result.stages.map(({ stage, step, checkpoint }) => {
        return { stage, step, modelSha256: checkpoint.modelSha256 };
      }),
      equal,
      problems: [
        ...problems,
        ...(told.length < options.events ? [`only ${told.length} of ${options.events} faults struck`] : []),
        ...tooManyRepeated(told, steps, configuration),
      ],
    };
  });
}

async function withCluster<T>(
  run: string,
  { directory, configuration, miniature }: ChaosOptions,
  gpuWorkers: number,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await Cluster.start(run, { directory, configuration, miniature, gpuWorkers });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

interface Trained {
  readonly result: FullTrainingResult;
  readonly content: RunContent;
  readonly seconds: number;
}

/** Full training, from fetching to the evaluation; beside it, what is to go wrong. */
async function train(
  cluster: Cluster,
  disturb: (scene: Scene, startedAt: number) => Promise<void> = async () => undefined,
): Promise<Trained> {
  const { client, run, configuration } = cluster;
  const ending = new AbortController();
  const startedAt = Date.now();
  await startRun(client, { run, configuration });
  const { uint32 } = counterRandom(configuration.seed, 'chaos choices');
  const scene: Scene = { cluster, ended: ending.signal, choose: (bound) => uint32() % bound };
  const disturbing = disturb(scene, startedAt);
  disturbing.catch(() => undefined);
  const finishing = resultOf(cluster).finally(() => ending.abort());
  // A fault that cannot be made ends everything: the run would go on for nothing.
  const [result] = await Promise.all([finishing, disturbing]);
  const seconds = (Date.now() - startedAt) / 1000;
  return { result, content: await contentOf(cluster, result), seconds };
}

/** Waits for the end of a run, through restarts of Temporal. */
async function resultOf({ client, run }: Cluster): Promise<FullTrainingResult> {
  const patience = Date.now() + 30 * 60_000;
  for (;;) {
    try {
      return (await client.workflow.getHandle(run).result()) as FullTrainingResult;
    } catch (error) {
      const isAway = error instanceof Error && error.name === 'ServiceError';
      if (!isAway || Date.now() > patience) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

type Event =
  { readonly kind: 'training'; readonly planned: Planned } | { readonly kind: 'other'; readonly fault: OtherFault };

/** One after the other; each when the one before has been got over. */
async function strikeAll(scene: Scene, startedAt: number, options: ChaosOptions, strikes: Strike[]): Promise<void> {
  const { seed, configuration, report } = options;
  const events = eventsOf(options.events, seed, configuration);
  for (const [index, event] of events.entries()) {
    const next = events[index + 1];
    setPace(scene.cluster.paceFile, next === undefined ? null : placeOf(next, configuration));
    let at = 0;
    let where = '';
    const struck = (place: string): void => {
      at = Date.now();
      where = place;
    };
    const name = event.kind === 'training' ? event.planned.fault.name : event.fault.name;
    try {
      if (event.kind === 'training') await strikeTraining(scene, event.planned, struck);
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

async function strikeTraining(scene: Scene, planned: Planned, struck: (where: string) => void): Promise<void> {
  const { cluster, ended } = scene;
  const order = (stage: TrainingStage): number => trainingStages.indexOf(stage);
  const step = await until(ended, `step ${planned.step} of ${planned.stage}`, () => {
    const { last } = cluster.journal;
    if (last === null || order(last.stage) < order(planned.stage)) return null;
    return order(last.stage) > order(planned.stage) || last.step >= planned.step ? last : null;
  });
  struck(`${step.stage} ${step.step}`);
  const { uniform } = counterRandom(planned.seed, 'chaos choice');
  const harmed = await planned.fault.inject({ ...scene, choose: (bound) => Math.floor(uniform() * bound) });
  await goesOn(scene, harmed);
}

/** In the order of the run's steps. Of few, none but training's. */
function eventsOf(count: number, seed: number, configuration: RunConfiguration): Event[] {
  const others = count >= 3 * otherFaults.length ? otherFaults : [];
  const training = planTraining(seed, count - others.length, configuration);
  return runSteps.flatMap((step: RunStep): Event[] => [
    ...others.filter((fault) => fault.step === step).map((fault) => ({ kind: 'other', fault }) as const),
    ...training.filter(({ stage }) => stage === step).map((planned) => ({ kind: 'training', planned }) as const),
  ]);
}

/** What a strike cost, from the journal of all trainers. @param until of the next one, milliseconds since 1970. */
function withCost(strike: Strike, until: number, steps: readonly JournalStep[]): Strike {
  if (!trainingStages.some((stage) => strike.where.startsWith(stage))) return strike;
  const during = resumptions(steps).filter(({ at }) => at >= strike.at && at < until);
  const repeated = during.reduce((sum, resumption) => sum + resumption.repeated, 0);
  return { ...strike, repeated, standstill: largestGap(steps, strike.at, strike.at + 1000 * strike.standstill) };
}

function tooManyRepeated(
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

/** Where a run's files lie, for people who look into what went wrong. */
export function logFolder(directory: string): string {
  return join(directory, 'logs');
}
