import { isTree } from './overrides.js';
import { readYaml } from './yamlText.js';

/** Of fine-tuning a trained model on other data, where a file says nothing of it: a tenth of the paper's rates, and shorter. */
const coarse = {
  'training.coarse-finetuning.iterations': 20_001,
  'training.coarse-finetuning.learningRate': 1e-4,
  'training.coarse-finetuning.localiserLearningRate': 1e-5,
} as const;
const refinement = { 'training.refinement.iterations': 10_000, 'training.refinement.learningRate': 1e-4 } as const;

/** What has been trained before counts as one step of pre-training: fine-tuning's total includes it. */
const stepsBefore = 1;

/**
 * Overrides that lie below a file's own settings, for a run that starts from a trained model.
 *
 * @param text of the file. @param isRefined the refinement model starts from a trained one, too.
 * @throws ConfigurationError for what is no YAML.
 */
export function finetuneDefaults(text: string, name: string, isRefined: boolean): string[] {
  const { value } = readYaml(text, name);
  const says = (path: string): boolean => {
    let node: unknown = value;
    for (const segment of path.split('.')) {
      if (!isTree(node) || !Object.hasOwn(node, segment)) return false;
      node = node[segment];
    }
    return true;
  };
  const own = Object.entries({ ...coarse, ...(isRefined ? refinement : {}) }).filter(([path]) => !says(path));
  return [`training.coarse-pretraining.iterations=${stepsBefore}`, ...own.map(([path, number]) => `${path}=${number}`)];
}
