import type { ConfigurationProblem } from '../configurationError.js';
import { isTree } from '../reading/overrides.js';
import { groupedOptions, publishedOptions, type Meaning } from './publishedOptions.js';
import { datasetSettings } from './publishedPaths.js';
import type { TrainingStage } from '../schema/training.js';
import { didYouMean, suggest } from '../reading/suggestions.js';

type Tree = Record<string, unknown>;
type Model = 'coarse' | 'refinement';

const groups = ['base', 'data', 'train', 'model'];

/** What a published `config.json` says, in our settings. */
export interface Translated {
  readonly settings: ReadonlyMap<string, unknown>;
  /** Which option a setting comes from. */
  readonly options: ReadonlyMap<string, string>;
  readonly problems: readonly (Omit<ConfigurationProblem, 'where'> & { readonly option: string })[];
  /** What was not taken over, and what to use instead: files of other versions hold further options. */
  readonly notes: readonly { readonly option: string; readonly text: string }[];
}

/** Whether a file is a published run's `config.json` (options in the groups base, data, train, model; method 5). */
export function isPublished(file: Tree): boolean {
  if ('storage' in file || 'dataset' in file) return false;
  return (
    ['base', 'data', 'train'].some((group) => isTree(file[group])) || ('learning_rate' in file && 'batch_size' in file)
  );
}

/**
 * Translates a published configuration, which is of one stage of training. What describes the coarse model or its input
 * goes for both of its stages; iterations, weights of losses and weights of vertices go for the one that it is of:
 * fine-tuning if it has a loss on surfaces or edges, else pre-training.
 */
export function translate(file: Tree): Translated {
  const options = publishedOptionsIn(file);
  const settings = new Map<string, unknown>();
  const origins = new Map<string, string>();
  const problems: (Omit<ConfigurationProblem, 'where'> & { option: string })[] = [];
  const refuse = (option: string, expected: string, found: string | null = null): void => {
    problems.push({ option, setting: option, found, expected });
  };
  const notes: { option: string; text: string }[] = [];
  const model = modelOf(options);
  const stages = stagesOf(model, options);
  const meanings: Readonly<Record<string, Meaning>> = { ...publishedOptions.common, ...publishedOptions[model] };
  const paths = new Map<string, string>();
  for (const [option, value] of options) {
    const meaning = Object.hasOwn(meanings, option) ? meanings[option] : undefined;
    switch (meaning?.kind) {
      case undefined: {
        const other = model === 'coarse' ? 'refinement' : 'coarse';
        const owner = Object.hasOwn(publishedOptions[other], option) ? `, but one of the ${other} model's` : '';
        const meant = didYouMean(suggest(option, Object.keys(meanings)));
        notes.push({ option, text: `no option of the published ${model} model that is known here${owner}.${meant}` });
        break;
      }
      case 'settings':
        for (const path of meaning.paths.flatMap((template) => expand(template, stages))) {
          settings.set(path, meaning.convert ? meaning.convert(numberOf(value)) : numberOf(value));
          origins.set(path, option);
        }
        break;
      case 'only':
        if (JSON.stringify(value) !== JSON.stringify(meaning.value))
          refuse(option, `expected ${JSON.stringify(meaning.value)}: ${meaning.because}`, JSON.stringify(value));
        break;
      case 'path':
        if (typeof value === 'string' && value !== '') paths.set(option, value);
        else refuse(option, 'expected a path', JSON.stringify(value));
        break;
      case 'ignored':
        if (meaning.instead !== undefined && !meaning.unless?.includes(value)) {
          notes.push({ option, text: `has no counterpart here: ${meaning.instead}.` });
        }
    }
  }
  for (const [path, value] of datasetSettings(paths)) settings.set(path, value);
  if (settings.get('dataset.layout.test') === null) notes.push({ option: [...paths.keys()][0]!, text: noTestSet });
  return { settings, options: origins, problems, notes };
}

const noTestSet =
  'these data have no test set, and are not evaluated on, until dataset.layout.test says where one is (list, images, calibrations, scans, registrations).';

/** Numbers that were given on the published command line are stored as text. */
export function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value) ? Number(value) : value;
}

/** All options of a published file, without their groups. */
export function publishedOptionsIn(file: Tree): Map<string, unknown> {
  const options = new Map<string, unknown>();
  const add = (tree: Tree): void => {
    for (const [name, value] of Object.entries(tree)) {
      if (groupedOptions.includes(name) && isTree(value)) add(value);
      else options.set(name, value);
    }
  };
  for (const [name, value] of Object.entries(file)) {
    if (groups.includes(name) && isTree(value)) add(value);
    else add({ [name]: value });
  }
  return options;
}

/** Whose options there are more of. */
function modelOf(options: ReadonlyMap<string, unknown>): Model {
  const count = (model: Model): number =>
    Object.keys(publishedOptions[model]).filter((option) => options.has(option)).length;
  return count('refinement') > count('coarse') ? 'refinement' : 'coarse';
}

interface Stages {
  readonly described: TrainingStage;
  readonly all: readonly TrainingStage[];
}

/** The stage that options describe: losses on surfaces or edges make the coarse model's fine-tuning. */
export function stagesOf(model: Model, options: ReadonlyMap<string, unknown>): Stages {
  if (model === 'refinement') return { described: 'refinement', all: ['refinement'] };
  const isWeighted = (option: string): boolean => Number(options.get(option) ?? 0) > 0;
  const isFinetuning = isWeighted('weight_points2surface') || isWeighted('weight_edge_regularizer');
  return {
    described: isFinetuning ? 'coarse-finetuning' : 'coarse-pretraining',
    all: ['coarse-pretraining', 'coarse-finetuning'],
  };
}

function expand(template: string, { described, all }: Stages): string[] {
  if (template.includes('{all}')) return all.map((stage) => template.replace('{all}', stage));
  return [template.replace('{stage}', described)];
}
