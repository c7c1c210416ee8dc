import type { RunConfiguration } from '../schema/run.js';
import type { SeriesMember } from './members.js';

/** What can be left out, one thing a run; `views` takes views away from a trained model. */
export const ablations = ['views', 'localiser', 'fusion', 'p2s'] as const;
/** One of them. */
export type Ablation = (typeof ablations)[number];

export interface AblationOptions {
  /** Name of the series. */
  readonly run: string;
  /** The run that lacks nothing, which the others are compared with: a new one, or one that is there. */
  readonly base: string;
  readonly configuration: RunConfiguration;
  readonly what: readonly Ablation[];
  /** Numbers of views, of `views`. */
  readonly views: readonly number[];
}

/**
 * The runs of an ablation: the whole, then one for each thing left out. Each shares with the whole all that does not depend on
 * what it lacks: all of them the data set, `p2s` its pre-training, `fusion` its coarse model, `views` all its training.
 */
export function ablationMembers(options: AblationOptions): SeriesMember[] {
  const { base: run, configuration, what } = options;
  const chosen = ablations.filter((each) => what.includes(each));
  return [{ run, label: 'everything, all views', configuration }, ...chosen.flatMap((each) => lacking[each](options))];
}

const lacking: Readonly<Record<Ablation, (options: AblationOptions) => SeriesMember[]>> = {
  // The same model: a run that was trained on fewer views would answer another question.
  views: ({ run, base, configuration, views }) =>
    views.map((count) => ({
      run: `${run}-${count}-views`,
      label: `${count} views`,
      configuration: { ...configuration, viewsAtMost: count },
      steps: ['evaluation'],
      after: { run: base, step: 'refinement' },
      from: { run: base, stage: 'refinement' },
    })),

  localiser: ({ run, base, configuration }) => {
    const { model } = configuration;
    const coarse = { ...model.coarse, localiser: { ...model.coarse.localiser, enabled: false } };
    return [
      {
        run: `${run}-without-localiser`,
        label: 'without the localiser',
        configuration: { ...configuration, model: { ...model, coarse } },
        after: { run: base, step: 'dataset' },
      },
    ];
  },

  fusion: ({ run, base, configuration }) => {
    const { model } = configuration;
    const refinement = { ...model.refinement, fusion: 'mean' as const };
    return [
      {
        run: `${run}-without-fusion`,
        label: 'without surface-aware fusion',
        configuration: { ...configuration, model: { ...model, refinement } },
        after: { run: base, step: 'coarse-finetuning' },
        from: { run: base, stage: 'coarse-finetuning' },
      },
    ];
  },

  // With the weights of pre-training's points loss: the paper's draw eyeballs alone to the registration once scans are seen.
  p2s: ({ run, base, configuration }) => {
    const { training } = configuration;
    const { pointRegionWeights } = training['coarse-pretraining'];
    const without = <Stage extends RunConfiguration['training']['refinement']>(stage: Stage): Stage => ({
      ...stage,
      losses: { ...stage.losses, pointsToSurface: 0 },
      pointRegionWeights,
    });
    return [
      {
        run: `${run}-without-p2s`,
        label: 'without point to surface',
        configuration: {
          ...configuration,
          training: {
            ...training,
            'coarse-finetuning': without(training['coarse-finetuning']),
            refinement: without(training.refinement),
          },
        },
        after: { run: base, step: 'coarse-pretraining' },
        from: { run: base, stage: 'coarse-pretraining' },
      },
    ];
  },
};
