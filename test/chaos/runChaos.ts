import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { trainingStages, type TrainingStage } from '../../configs/schema/training.js';
import type { MiniatureSettings } from '../../miniature/settings.js';
import { counterRandom } from '../../geometry/random.js';
import { startRun } from '../../client/runs/runs.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import { Cluster } from './cluster/cluster.js';
import { compareRuns, contentOf, type RunContent } from './compareRuns.js';
import { largestGap, resumptions, type JournalStep } from './cluster/journal.js';
import type { Scene } from './scene.js';
import type { TrainingFault } from './faults/faultKinds.js';
import { plan, type Event } from './faults/schedule.js';
import { strikeAll, tooManyRepeated, type Strike } from './faults/strikes.js';

export interface ChaosOptions {
  readonly directory: string;
  readonly configuration: RunConfiguration;
  readonly miniature: Partial<MiniatureSettings>;
  readonly seed: number;
  /** Faults in all; those outside of training are among them where there are enough. */
  readonly events: number;
  /** What may strike; all but the severe ones if absent. */
  readonly faults?: readonly TrainingFault[];
  readonly report: (line: string) => void;
}

export interface ChaosReport {
  readonly strikes: readonly Strike[];
  readonly undisturbedSeconds: number;
  readonly disturbedSeconds: number;
  readonly stages: readonly { readonly stage: TrainingStage; readonly step: number; readonly modelSha256: string }[];
  /** What was compared and found equal; human-readable. */
  readonly equal: readonly string[];
  /** What should not be; empty for a run that lost nothing. */
  readonly problems: readonly string[];
}

/** Trains twice, once undisturbed, once under a seeded schedule of faults, and compares what came of it to the last bit. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { report, configuration } = options;
  report('Undisturbed run …');
  const undisturbed = await withCluster('undisturbed', options, 1, async (cluster) =>
    train(cluster, cluster.configuration),
  );
  report(`  ${undisturbed.seconds.toFixed(0)} s`);
  return withCluster('disturbed', options, 2, async (cluster) => {
    report('Disturbed run …');
    const strikes: Strike[] = [];
    const planned = plan(options);
    const disturbed = await train(cluster, shortened(cluster.configuration, planned), (scene, startedAt) =>
      strikeAll(scene, startedAt, { ...options, planned }, strikes),
    );
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
  begun: RunConfiguration,
  disturb: (scene: Scene, startedAt: number) => Promise<void> = async () => undefined,
): Promise<Trained> {
  const { client, run, configuration } = cluster;
  const ending = new AbortController();
  const startedAt = Date.now();
  await startRun(client, { run, configuration: begun });
  const { uint32 } = counterRandom(configuration.seed, 'chaos choices');
  const scene: Scene = { cluster, ended: ending.signal, choose: (bound) => uint32() % bound, wanted: configuration };
  const disturbing = disturb(scene, startedAt);
  disturbing.catch(() => undefined);
  const finishing = resultOf(cluster).finally(() => ending.abort());
  // A fault that cannot be made ends everything: the run would go on for nothing.
  const [result] = await Promise.all([finishing, disturbing]);
  const seconds = (Date.now() - startedAt) / 1000;
  return { result, content: await contentOf(cluster, result), seconds };
}

/** Waits for the end of a run, through restarts of Temporal. */
async function resultOf(cluster: Cluster): Promise<FullTrainingResult> {
  const { client, run } = cluster;
  const patience = Date.now() + 30 * 60_000;
  for (;;) {
    try {
      return (await client.workflow.getHandle(run).result()) as FullTrainingResult;
    } catch (error) {
      const isAway = error instanceof Error && error.name === 'ServiceError';
      const isResumed = cluster.isToBeResumed && error instanceof WorkflowFailedError;
      if (!(isAway || isResumed) || Date.now() > patience) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

/** A stage that will be extended in a storm begins an interval shorter. */
function shortened(configuration: RunConfiguration, planned: readonly Event[]): RunConfiguration {
  const training = { ...configuration.training };
  for (const event of planned) {
    if (event.kind !== 'training' || !event.planned.fault.name.includes('extend')) continue;
    const { stage } = event.planned;
    const { iterations, checkpointEvery } = configuration.training[stage];
    training[stage] = { ...training[stage], iterations: iterations - checkpointEvery };
  }
  return { ...configuration, training };
}

/** What a strike cost, from the journal of all trainers. @param until of the next one, milliseconds since 1970. */
function withCost(strike: Strike, until: number, steps: readonly JournalStep[]): Strike {
  if (!trainingStages.some((stage) => strike.where.startsWith(stage))) return strike;
  const during = resumptions(steps).filter(({ at }) => at >= strike.at && at < until);
  const repeated = during.reduce((sum, resumption) => sum + resumption.repeated, 0);
  return { ...strike, repeated, standstill: largestGap(steps, strike.at, strike.at + 1000 * strike.standstill) };
}

/** Where a run's files lie, for people who look into what went wrong. */
export function logFolder(directory: string): string {
  return join(directory, 'logs');
}
