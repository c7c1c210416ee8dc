import type { RunConfiguration } from '../schema/run.js';
import type { TrainingStage } from '../schema/training.js';
import type { RunStep } from '../temporal.js';

/** What runs are made side by side for: `seeds` to see what chance does, `ablation` to see what each part is good for. */
export const seriesKinds = ['seeds', 'ablation'] as const;
/** Why there are several runs. */
export type SeriesKind = (typeof seriesKinds)[number];

/** A run of a series. */
export interface SeriesMember {
  readonly run: string;
  /** What it differs by from the first, for tables. */
  readonly label: string;
  readonly configuration: RunConfiguration;
  /** All if absent. */
  readonly steps?: readonly RunStep[];
  /** It is started once that run of the series has done that step; at once if absent. */
  readonly after?: { readonly run: string; readonly step: RunStep };
  /** It goes on from the newest checkpoint of that run's stage. */
  readonly from?: { readonly run: string; readonly stage: TrainingStage };
}

/** The most repeats that one command starts. */
export const mostSeeds = 32;

/** `famos-1-seed-7` */
export const seedRun = (series: string, seed: number): string => `${series}-seed-${seed}`;

/**
 * One configuration with seeds that follow one another. The first run makes the data set, which all share; the others
 * are started when it is there.
 */
export function seedMembers(series: string, configuration: RunConfiguration, count: number): SeriesMember[] {
  const first = seedRun(series, configuration.seed);
  return Array.from({ length: count }, (_, i): SeriesMember => {
    const seed = configuration.seed + i;
    return {
      run: seedRun(series, seed),
      label: `seed ${seed}`,
      configuration: { ...configuration, seed },
      ...(i > 0 && { after: { run: first, step: 'dataset' } }),
    };
  });
}
