import { ConfigurationError } from '../configurationError.js';
import type { RunConfiguration } from '../schema/run.js';
import { refuseIterations, type TrainedStages } from './trainedStages.js';

/** A setting whose value differs between two resolved configurations. */
export interface ConfigurationChange {
  /** Dotted path: `training.refinement.learningRate`. */
  readonly setting: string;
  /** As JSON; undefined where one of the two has no such setting. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly effect: ChangeEffect;
  /** Why it cannot be changed, or what follows from the change; empty where nothing does. */
  readonly note: string;
}

/**
 * - `free`: the trained numbers do not depend on it.
 * - `from now on`: the steps that follow differ from those of an unchanged run.
 * - `fixed`: a run that has begun to train cannot have another.
 */
export type ChangeEffect = 'free' | 'from now on' | 'fixed';

interface Rule {
  readonly pattern: RegExp;
  readonly effect: ChangeEffect;
  readonly note: string;
}

const stage = '^training\\.[^.]+\\.';

/** What may change in a run that has begun to train: the first rule that fits counts. */
export const rules: readonly Rule[] = [
  { pattern: /^seed$/, effect: 'fixed', note: 'order of the data, views, rotations and augmentation follow from it' },
  {
    pattern: /^model\.coarse\.trunk(\.|$)/,
    effect: 'free',
    note: 'the trunk is where training starts: a run that has begun does not read it again',
  },
  { pattern: /^model\./, effect: 'fixed', note: 'the checkpoints hold the weights of the network as it was' },
  { pattern: /^viewKind$/, effect: 'fixed', note: 'the network was trained on the other cameras' },
  {
    pattern: /^(cameras|viewsAtMost)(\.|$)/,
    effect: 'from now on',
    note: 'steps and predictions that are there were made from other views, and stay',
  },
  { pattern: /^threadsPerOperation$/, effect: 'from now on', note: 'sums over threads are rounded otherwise' },
  { pattern: /^dataset\.name$/, effect: 'fixed', note: 'the order of the frames is that of the data set' },
  {
    pattern: /^storage\.(kind|bucket|prefix|path)$/,
    effect: 'fixed',
    note: 'the run and its checkpoints lie in the other place',
  },
  {
    pattern: new RegExp(`${stage}batchSize$`),
    effect: 'fixed',
    note: 'which frames a step sees follows from it: frames would be left out or seen twice',
  },
  {
    pattern: new RegExp(`${stage}iterations$`),
    effect: 'from now on',
    note: 'a schedule other than constant stretches with it',
  },
  {
    pattern: new RegExp(`${stage}(\\w+Every|validationFrames|skipNonFiniteBatches)$`),
    effect: 'free',
    note: '',
  },
  { pattern: /^training\./, effect: 'from now on', note: 'steps that are done are not done again' },
  { pattern: /^deterministic$/, effect: 'from now on', note: 'rounding differs' },
  { pattern: /^precision$/, effect: 'from now on', note: 'checkpoints hold float32 either way' },
  { pattern: /^dataset\./, effect: 'free', note: 'a data set that is packed already stays as it is' },
];

const otherwise: Omit<Rule, 'pattern'> = { effect: 'free', note: '' };

/** The settings that differ, in the order of the configuration, each with what a change means to a run that trains. */
export function configurationChanges(before: RunConfiguration, after: RunConfiguration): ConfigurationChange[] {
  const [old, edited] = [leaves(before), leaves(after)];
  return [...new Set([...old.keys(), ...edited.keys()])].flatMap((setting) => {
    const [was, is] = [old.get(setting), edited.get(setting)];
    if (was === is) return [];
    const { effect, note } = rules.find(({ pattern }) => pattern.test(setting)) ?? otherwise;
    return [{ setting, before: was, after: is, effect, note }];
  });
}

/** A line a change: `training.refinement.learningRate: 0.001 → 0.0005 (from now on: …)`. */
export function describeChanges(changes: readonly ConfigurationChange[]): string[] {
  return changes.map(({ setting, before, after, effect, note }) => {
    const meaning = effect === 'free' ? note : [effect, note].filter(Boolean).join(': ');
    return `${setting}: ${before ?? 'not there'} → ${after ?? 'not there'}${meaning ? ` (${meaning})` : ''}`;
  });
}

/**
 * Refuses an edited configuration for a run that has begun to train.
 *
 * @throws ConfigurationError naming each setting that cannot change, both values and why, and the way out.
 */
export function refuseFixedChanges(run: string, changes: readonly ConfigurationChange[]): void {
  const fixed = changes.filter(({ effect }) => effect === 'fixed');
  if (fixed.length === 0) return;
  const wayOut = `Give it its value back, or branch a new run: tempeh-flow start full-training --from ${run}/coarse --run NAME`;
  throw new ConfigurationError(
    fixed.map(({ setting, before, after, note }, i) => ({
      where: `run ${run}`,
      setting,
      found: after ?? 'not there',
      expected: `the run has trained with ${before ?? 'none'}, and cannot change it: ${note}.${i === fixed.length - 1 ? ` ${wayOut}` : ''}`,
    })),
  );
}

/**
 * Refuses an edited configuration for a run, as far as it has been trained.
 *
 * @throws ConfigurationError as `refuseFixedChanges` and `refuseIterations`.
 */
export function refuseEdits(
  run: string,
  before: RunConfiguration,
  after: RunConfiguration,
  trained: TrainedStages,
): void {
  if (Object.keys(trained).length === 0) return;
  refuseFixedChanges(run, configurationChanges(before, after));
  refuseIterations(run, before, after, trained);
}

/** Every value that is no group, as JSON, by its dotted path. A list is one value. */
function leaves(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([[path, JSON.stringify(value)]]);
  return new Map(Object.entries(value).flatMap(([name, inner]) => [...leaves(inner, path ? `${path}.${name}` : name)]));
}
