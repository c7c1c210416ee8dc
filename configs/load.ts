import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { ConfigurationError, type ConfigurationProblem } from './configurationError.js';
import { explainIssue, type Explanation } from './explainIssue.js';
import { applyOverrides, isTree, parseOverride, type Override } from './overrides.js';
import { packageRoot } from './packageRoot.js';
import { isPublished } from './published.js';
import { readPublished } from './publishedFile.js';
import { runConfigurationSchema, type RunConfiguration } from './schema/run.js';

/**
 * Reads a run's configuration: the YAML file (or a published run's `config.json`), `--set` overrides laid over it,
 * defaults filled in, everything checked.
 *
 * @param file a path, or the name of one of ours (`miniature`, `famos`).
 * @param overrides `path=value`, the later over the earlier.
 * @throws ConfigurationError naming file, line, setting, what was found and what was expected: all problems at once.
 */
export async function loadConfiguration(file: string, overrides: readonly string[] = []): Promise<RunConfiguration> {
  const path = configurationPath(file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new ConfigurationError([
      {
        where: path,
        setting: '',
        found: null,
        expected: `${reason}; expected a YAML file, or the name miniature or famos`,
      },
    ]);
  }
  return resolveConfiguration(text, path, overrides);
}

/** Path of a configuration file: one of ours goes by its name, where no file here has it (a folder may). */
export function configurationPath(file: string): string {
  const ours = join(packageRoot, 'configs', `${file}.yaml`);
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  return /^[\w-]+$/.test(file) && !isFile && existsSync(ours) ? ours : file;
}

/**
 * As `loadConfiguration`, from the text of a file.
 *
 * @param name what errors call it.
 */
export function resolveConfiguration(text: string, name: string, overrides: readonly string[] = []): RunConfiguration {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, merge: true });
  const syntax = document.errors.map((error) => ({
    where: `${name}:${error.linePos?.[0].line ?? 1}`,
    setting: '',
    found: null,
    expected: `this is not readable as YAML: ${error.message.split('\n')[0]}`,
  }));
  if (syntax.length > 0) throw new ConfigurationError(syntax);
  const fromFile = (document.toJS() ?? {}) as unknown;
  if (!isTree(fromFile)) {
    const expected = 'expected settings, such as "seed: 0", a line each';
    throw new ConfigurationError([{ where: `${name}:1`, setting: '', found: shown(fromFile, []), expected }]);
  }
  const parsed = overrides.map(parseOverride);
  const where = (path: readonly string[]): string => `${name}:${lineOf(document, lineCounter, path)}`;
  const { tree, origin } = isPublished(fromFile)
    ? readPublished(fromFile, where)
    : { tree: fromFile, origin: (path: readonly string[]) => ({ where: where(path), setting: path.join('.') }) };
  const input = applyOverrides(tree, parsed);
  const result = runConfigurationSchema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigurationError(
    result.error.issues.flatMap(explainIssue).map((explanation) => locate(explanation, input, parsed, origin)),
  );
}

function locate(
  { path, aboutValue, expected }: Explanation,
  input: unknown,
  overrides: readonly Override[],
  inFile: (path: readonly string[]) => Pick<ConfigurationProblem, 'where' | 'setting'>,
): ConfigurationProblem {
  const override = overrides.findLast((candidate) => candidate.path.every((segment, i) => path[i] === segment));
  return {
    ...(override === undefined ? inFile(path) : { where: `--set ${override.text}`, setting: path.join('.') }),
    found: aboutValue ? shown(valueAt(input, path), path) : null,
    expected,
  };
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}

/** A value for an error message: short, and without what may be a credential in an address. */
function shown(value: unknown, path: readonly string[]): string {
  if (value === undefined) return `no ${path.at(-1) ?? 'value'}`;
  const text = JSON.stringify(value).replace(/\/\/[^/\s"]*@/g, '//…@');
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The line of a setting; of its nearest group where it is not in the file. From 1. */
function lineOf(document: Document, lineCounter: LineCounter, path: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isNode(key) && String(key) === segment);
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else {
      const child = document.getIn([...path.slice(0, path.indexOf(segment)), Number(segment)], true);
      if (!isNode(child)) break;
      offset = child.range?.[0] ?? offset;
      node = child;
    }
  }
  return lineCounter.linePos(offset).line;
}
