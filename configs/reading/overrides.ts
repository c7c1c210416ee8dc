import { ConfigurationError, type ConfigurationProblem } from '../configurationError.js';
import { namesOfKind, settingPaths, settingSchemas, takesTextOnly } from '../documentation/settings.js';
import { didYouMean, suggest } from './suggestions.js';
import { readYaml } from './yamlText.js';

/** One `--set path=value`, read. */
export interface Override {
  /** As it was typed: errors repeat it. */
  readonly text: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Reads a `path=value`. The value is YAML (`3`, `1e-4`, `true`, `null`, `[0, -50, 0]`, `{kind: cosine}`), except where
 * the setting takes text: there it is taken as it stands.
 *
 * @throws ConfigurationError for an unknown path (with what may have been meant) or a value that is no YAML.
 */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  const fail = (setting: string, expected: string): never => {
    throw new ConfigurationError([{ where: `--set ${text}`, setting, found: null, expected }]);
  };
  if (equals < 1) return fail('', 'expected path=value, such as training.refinement.batchSize=1');
  const name = text.slice(0, equals).trim();
  const raw = text.slice(equals + 1).trim();
  const path = name.split('.');
  if (settingSchemas(path).length === 0) {
    const meant = didYouMean(suggest(name, settingPaths()));
    return fail(name, `there is no such setting.${meant} (all settings: tempeh-flow config show)`);
  }
  if (takesTextOnly(path) && raw !== 'null') return { text, path, value: raw.replace(/^(["'])(.*)\1$/, '$2') };
  try {
    return { text, path, value: readYaml(raw, name).value };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return fail(name, `the value is not readable as YAML: ${error.problems[0]?.expected ?? ''}`);
  }
}

type Tree = Record<string, unknown>;

/**
 * Lays overrides over what a file says, the later ones over the earlier ones. Choosing another `kind` of a group drops
 * the settings that only the kind before had.
 *
 * @returns a new object; `file` stays as it is.
 */
export function applyOverrides(file: unknown, overrides: readonly Override[]): unknown {
  const root: unknown = structuredClone(file);
  const problems: ConfigurationProblem[] = [];
  for (const { text, path, value } of overrides) {
    let node = root;
    for (const segment of path.slice(0, -1)) {
      if (!isTree(node) && !Array.isArray(node)) break;
      const tree = node as Tree;
      if (tree[segment] === undefined || tree[segment] === null) tree[segment] = {};
      node = tree[segment];
    }
    if (!isTree(node) && !Array.isArray(node)) {
      const setting = path.slice(0, -1).join('.');
      problems.push({
        where: `--set ${text}`,
        setting,
        found: null,
        expected: 'is not a group of settings in the file',
      });
      continue;
    }
    const last = path.at(-1)!;
    const tree = node as Tree;
    if (last === 'kind' && tree['kind'] !== value) keepNamesOfKind(tree, path.slice(0, -1), value);
    tree[last] = value;
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return root;
}

function keepNamesOfKind(group: Tree, path: readonly string[], kind: unknown): void {
  const kept = namesOfKind(path, kind);
  if (kept === null) return;
  for (const name of Object.keys(group)) if (!kept.includes(name)) delete group[name];
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
