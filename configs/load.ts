import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError, type ConfigurationProblem } from './configurationError.js';
import { explainIssue, type Explanation } from './reading/explainIssue.js';
import { applyOverrides, isTree, parseOverride, type Override } from './reading/overrides.js';
import { packageRoot } from './packageRoot.js';
import { isPublished } from './published/published.js';
import { readPublished } from './published/publishedFile.js';
import { lineOf, readYaml } from './reading/yamlText.js';
import { runConfigurationSchema, type RunConfiguration } from './schema/run.js';

/** Problems that are reported: of a file that is nearly all wrong, nobody would read more. */
const mostIssues = 50;

/**
 * Reads a run's configuration: the YAML file (or a published run's `config.json`), `--set` overrides laid over it,
 * defaults filled in, everything checked.
 *
 * @param file a path, or the name of one of ours (`miniature`, `workshop`, `famos`).
 * @param overrides `path=value`, the later over the earlier.
 * @param onNote is called with what of a published file is not taken over; by default standard error is.
 * @throws ConfigurationError naming file, line, setting, what was found and what was expected: all problems at once.
 */
export async function loadConfiguration(
  file: string,
  overrides: readonly string[] = [],
  onNote: (note: string) => void = noteOnStandardError,
): Promise<RunConfiguration> {
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
        expected: `${reason}; expected a YAML file, or the name miniature, workshop or famos`,
      },
    ]);
  }
  return resolveConfiguration(text, path, overrides, onNote);
}

function noteOnStandardError(note: string): void {
  process.stderr.write(`note: ${note}\n`);
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
 * @param hasLines whether the user knows its lines, so that errors name them.
 */
export function resolveConfiguration(
  text: string,
  name: string,
  overrides: readonly string[] = [],
  onNote: (note: string) => void = noteOnStandardError,
  hasLines = true,
): RunConfiguration {
  const yaml = readYaml(text, name);
  const fromFile = yaml.value ?? {};
  if (!isTree(fromFile)) {
    const expected = 'expected settings, such as "seed: 0", a line each';
    throw new ConfigurationError([{ where: `${name}:1`, setting: '', found: shown(fromFile, []), expected }]);
  }
  const parsed = overrides.map(parseOverride);
  const where = (path: readonly string[]): string => (hasLines ? `${name}:${lineOf(yaml, path)}` : name);
  const { tree, origin } = isPublished(fromFile)
    ? readPublished(fromFile, where, onNote)
    : { tree: fromFile, origin: (path: readonly string[]) => ({ where: where(path), setting: path.join('.') }) };
  const input = applyOverrides(tree, parsed);
  const result = runConfigurationSchema.safeParse(input);
  if (result.success) return result.data;
  const explained = result.error.issues.slice(0, mostIssues).flatMap(explainIssue);
  throw new ConfigurationError(explained.map((explanation) => locate(explanation, input, parsed, origin)));
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
