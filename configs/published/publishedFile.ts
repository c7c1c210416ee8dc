import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ConfigurationError, type ConfigurationProblem } from '../configurationError.js';
import { isTree } from '../reading/overrides.js';
import { packageRoot } from '../packageRoot.js';
import { translate } from './published.js';
import { groupedOptions } from './publishedOptions.js';

type Tree = Record<string, unknown>;

/**
 * A published `config.json` as a file of ours: laid over famos.yaml, which says what it does not (storage, data set, the
 * other stages).
 *
 * @param where gives file and line of a path in the published file.
 * @returns our settings, and where a setting comes from.
 * @param onNote is called for each option that is not taken over.
 * @throws ConfigurationError naming every option that cannot be.
 */
export function readPublished(
  file: Tree,
  where: (path: readonly string[]) => string,
  onNote: (note: string) => void,
): {
  readonly tree: Tree;
  readonly origin: (path: readonly string[]) => Pick<ConfigurationProblem, 'where' | 'setting'>;
} {
  const { settings, options, problems, notes } = translate(file);
  const whereOf = (option: string): string => where(pathOf(file, option));
  if (problems.length > 0) {
    throw new ConfigurationError(problems.map(({ option, ...problem }) => ({ ...problem, where: whereOf(option) })));
  }
  for (const { option, text } of notes) onNote(`${whereOf(option)}: ${option}: ${text}`);
  const tree = parse(readFileSync(join(packageRoot, 'configs', 'famos.yaml'), 'utf8'), { merge: true }) as Tree;
  for (const [path, value] of settings) setIn(tree, path.split('.'), value);
  return {
    tree,
    origin: (path) => {
      const setting = path.join('.');
      const from = [...options].find(([known]) => setting === known || setting.startsWith(`${known}.`));
      if (from === undefined) return { where: where([]), setting };
      return { where: whereOf(from[1]), setting: `${from[1]} (${setting})` };
    },
  };
}

function setIn(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const segment of path.slice(0, -1)) {
    const next = node[segment];
    node = isTree(next) ? next : (node[segment] = {});
  }
  node[path.at(-1)!] = value;
}

/** Where an option stands in the published file: in a group, or in a group of its group. */
function pathOf(file: Tree, option: string): string[] {
  if (option in file) return [option];
  for (const [name, group] of Object.entries(file)) {
    if (!isTree(group)) continue;
    if (option in group) return [name, option];
    for (const inner of groupedOptions) {
      const weights = group[inner];
      if (isTree(weights) && option in weights) return [name, inner, option];
    }
  }
  return [];
}
