import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigurationError } from '../configurationError.js';
import { applyOverrides, isTree, parseOverride } from '../reading/overrides.js';
import { isPublished, publishedOptionsIn, translate } from './published.js';
import { publishedOptions } from './publishedOptions.js';
import { runConfigurationSchema, type RunConfiguration } from '../schema/run.js';

/** Options that decide what the networks are and what they see. All others say how they were trained, and on what. */
const decisive = new Set([
  'descriptor_dim',
  'feature_arch',
  'input_image_type',
  'norm',
  ...Object.keys(publishedOptions.coarse).filter((option) => option !== 'point2point_loss_function'),
  ...Object.keys(publishedOptions.refinement).filter((option) => option !== 'weight_texture_recon'),
]);

/** What a published model’s configuration means for prediction. */
export interface PredictionConfiguration {
  readonly configuration: RunConfiguration;
  /** Templates that the published files name, as they name them. */
  readonly templates: readonly string[];
  /** What of the published files has no bearing here, or could not be understood; human-readable. */
  readonly notes: readonly string[];
}

/**
 * The configuration to predict with: a base (famos, or that of a run), over it what the `config.json` of published runs
 * say of their networks and images, over that `--set`. How a published run was trained plays no part, so that options
 * which later versions may have added are noted, not refused.
 *
 * @param published paths of `config.json`.
 * @throws ConfigurationError for networks that are not built here, and for settings that cannot be.
 */
export async function predictionConfiguration(
  base: RunConfiguration,
  published: readonly string[],
  overrides: readonly string[],
): Promise<PredictionConfiguration> {
  // The stored images' size is no limit here: they are resized to what the calibrations say.
  let tree: unknown = applyOverrides(base, [parseOverride('dataset.storedResizeFactor=1')]);
  const templates: string[] = [];
  const notes: string[] = [];
  for (const path of published) {
    const options = await readPublishedOptions(path);
    const { settings, problems } = translate(options);
    const refused = problems.filter(({ option }) => decisive.has(option));
    if (refused.length > 0) throw new ConfigurationError(refused.map((problem) => ({ ...problem, where: path })));
    notes.push(...problems.map(({ option }) => `${path}: ${option} is not used here`));
    for (const [setting, value] of settings) {
      if (!/^model\.|\.imageResizeFactor$|^dataset\.imageExtension$/.test(setting)) continue;
      tree = applyOverrides(tree, [{ text: setting, path: setting.split('.'), value }]);
    }
    const template = publishedOptionsIn(options).get('template_fname');
    if (typeof template === 'string' && template !== '') templates.push(template);
  }
  const result = runConfigurationSchema.safeParse(applyOverrides(tree, overrides.map(parseOverride)));
  if (result.success) return { configuration: result.data, templates, notes };
  const where = [...published, ...overrides.map((override) => `--set ${override}`)].join(', ');
  throw new ConfigurationError(
    result.error.issues.map((issue) => ({
      where,
      setting: issue.path.join('.'),
      found: null,
      expected: z
        .prettifyError({ issues: [issue] })
        .split('\n')[0]!
        .replace('✖ ', ''),
    })),
  );
}

async function readPublishedOptions(path: string): Promise<Record<string, unknown>> {
  const problem = (expected: string): ConfigurationError =>
    new ConfigurationError([{ where: path, setting: '', found: null, expected }]);
  let options: unknown;
  try {
    options = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw problem(`not readable as JSON: ${(cause as Error).message}`);
  }
  if (!isTree(options) || !isPublished(options)) {
    throw problem('expected the options of a published run, in groups base, data, train and model');
  }
  return options;
}
