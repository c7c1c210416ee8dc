import { join } from 'node:path';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { trainingStages, type TrainingStage } from '../../configs/schema/training.js';
import type { MiniatureSettings } from '../../miniature/settings.js';
import { Cluster } from './cluster/cluster.js';
import { compareRuns } from './compareRuns.js';
import { largestGap, resumptions, type JournalStep } from './cluster/journal.js';
import type { TrainingFault } from './faults/faultKinds.js';
import { plan } from './faults/schedule.js';
import { strikeAll, tooManyRepeated, type Strike } from './faults/strikes.js';
import { shortened, trainRun } from './trainRun.js';

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
    trainRun(cluster, cluster.configuration),
  );
  report(`  ${undisturbed.seconds.toFixed(0)} s`);
  return withCluster('disturbed', options, 2, async (cluster) => {
    report('Disturbed run …');
    const strikes: Strike[] = [];
    const planned = plan(options);
    const disturbed = await trainRun(cluster, shortened(cluster.configuration, planned), (scene, startedAt) =>
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

/** What a strike cost, from the journal of all trainers. @param until of the next one, milliseconds since 1970. */
function withCost(strike: Strike, until: number, steps: readonly JournalStep[]): Strike {
  if (!trainingStages.some((stage) => strike.where.startsWith(stage))) return strike;
  const during = resumptions(steps).filter(({ at }) => at >= strike.at && at < until);
  const repeated = during.reduce((sum, resumption) => sum + resumption.repeated, 0);
  return { ...strike, repeated, standstill: largestGap(steps, strike.at, strike.at + 1000 * strike.standstill) };
}

/** Where a run's files lie, for those who look into what went wrong. */
export function logFolder(directory: string): string {
  return join(directory, 'logs');
}
