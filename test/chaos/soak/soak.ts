import { setTimeout as sleep } from 'node:timers/promises';
import type { RunConfiguration } from '../../../configs/schema/run.js';
import type { MiniatureSettings } from '../../../miniature/settings.js';
import { Cluster } from '../cluster/cluster.js';
import { compareRuns, type RunContent } from '../compareRuns.js';
import type { TrainingFault } from '../faults/faultKinds.js';
import { planTraining, type Event } from '../faults/schedule.js';
import { strikeAll, tooManyRepeated, type Strike } from '../faults/strikes.js';
import { shortened, trainRun } from '../trainRun.js';
import { growth, type Slack } from './growth.js';
import { usageOf, type Usage } from './usage.js';

export interface SoakOptions {
  readonly directory: string;
  readonly configuration: RunConfiguration;
  readonly miniature: Partial<MiniatureSettings>;
  readonly seed: number;
  /** Of each round but the first, which nothing disturbs. */
  readonly events: number;
  /** What may strike; each leaves workers and servers alive, whose memory is looked at. */
  readonly faults: readonly TrainingFault[];
  /** A round is begun until then, by `performance.now()`. */
  readonly until: number;
  readonly report: (line: string) => void;
  readonly onRound: (round: Round) => void;
}

/** One run, from its start to its evaluation. */
export interface Round {
  readonly seconds: number;
  readonly strikes: readonly Strike[];
  readonly usage: Usage;
  /** What should not be. */
  readonly problems: readonly string[];
}

/** Rounds that are made however short the time is: the first is what the others are compared with. */
const leastRounds = 2;
/** Milliseconds in which connections of a run that has ended are closed. */
const settling = 3000;

/** Runs one after the other, in one set of workers and servers, each disturbed and compared with the first, to the last bit. */
export async function soak(options: SoakOptions): Promise<Round[]> {
  const { directory, configuration, miniature, until } = options;
  const cluster = await Cluster.start('soak', { directory, configuration, miniature, gpuWorkers: 2, disks: false });
  try {
    const rounds: Round[] = [];
    let expected: RunContent | null = null;
    while (rounds.length < leastRounds || performance.now() < until) {
      const { round, content } = await oneRound(cluster, options, rounds.length, expected);
      expected ??= content;
      rounds.push(round);
      options.onRound(round);
    }
    return rounds;
  } finally {
    await cluster.stop();
  }
}

async function oneRound(
  cluster: Cluster,
  { seed, events, faults, report }: SoakOptions,
  index: number,
  expected: RunContent | null,
): Promise<{ round: Round; content: RunContent }> {
  const { configuration } = cluster;
  const run = `soak-${index + 1}`;
  cluster.goOnWith(run);
  const planned =
    index === 0
      ? []
      : planTraining(seed + index, events, configuration, faults).map((one): Event => {
          return { kind: 'training', planned: one };
        });
  const strikes: Strike[] = [];
  const { content, seconds } = await trainRun(cluster, shortened(configuration, planned), (scene, startedAt) =>
    strikeAll(scene, startedAt, { planned, configuration, report }, strikes),
  );
  await sleep(settling);
  const problems = expected === null ? content.problems : compareRuns(expected, content).problems;
  const repeated = tooManyRepeated(strikes, cluster.journal.steps, configuration);
  const round = { seconds, strikes, usage: await usageOf(cluster, run), problems: [...problems, ...repeated] };
  return { round, content };
}

const memory: Slack = { share: 0.15, least: 40 };
const handles: Slack = { share: 0.1, least: 5 };
/** Which faults strike differs from round to round, and with it how often is tried anew. */
const byFaults: Slack = { share: 0.2, least: 10 };
const none: Slack = { share: 0, least: 0.5 };

/**
 * What grows over the rounds; human-readable. The servers' own memory and handles are shown only: connections of ours that
 * are not closed would show at our end, too.
 */
export function growing(rounds: readonly Round[]): string[] {
  const usages = rounds.map(({ usage }) => usage);
  const names = (usages[0]?.processes ?? []).filter(({ ours }) => ours).map(({ name }) => name);
  const ofProcess = (name: string, what: 'memory' | 'handles'): number[] =>
    usages.map(({ processes }) => processes.find((one) => one.name === name)?.[what] ?? 0);
  const figures: [what: string, values: number[], slack: Slack][] = [
    ...names.flatMap((name): typeof figures => [
      [`${name}: MB of memory`, ofProcess(name, 'memory'), memory],
      [`${name}: open handles`, ofProcess(name, 'handles'), handles],
    ]),
    ['processes', usages.map(({ processCount }) => processCount), none],
    ["objects of a round's run", usages.map(({ runObjects }) => runObjects), byFaults],
    ['other objects in the store', usages.map(({ otherObjects }) => otherObjects), none],
    ['unfinished uploads', usages.map(({ unfinishedUploads }) => unfinishedUploads), none],
    ["events in the histories of a round's run", usages.map(({ historyEvents }) => historyEvents), byFaults],
  ];
  return figures.flatMap(([what, values, slack]) => {
    const grown = growth(values, slack);
    return grown === null ? [] : [`${what}: from ${grown.from} to ${grown.to} in ${values.length} rounds`];
  });
}
