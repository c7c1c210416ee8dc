import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  Parser,
  visit,
  type Document,
} from 'yaml';
import { ConfigurationError, type ConfigurationProblem } from './configurationError.js';

/** Characters: five times those of `config show`, with every setting explained. What follows takes more than linear time. */
const largestText = 1 << 16;
/** Of groups and lists in one another; ours have five. */
const deepest = 32;
const mostProblems = 20;

/** A file's settings, and where each stands. */
export interface YamlText {
  readonly value: unknown;
  readonly document: Document;
  readonly lineCounter: LineCounter;
}

/**
 * Reads the text of a YAML file (JSON is YAML, too).
 *
 * @param name what errors call it.
 * @throws ConfigurationError naming file and line: for what is no YAML, too long, too deep, a setting that stands twice, a
 *   type that is not known, and aliases of aliases that would become very large.
 */
export function readYaml(text: string, name: string): YamlText {
  const problem = (line: number, expected: string, setting = ''): ConfigurationProblem => ({
    where: `${name}:${line}`,
    setting,
    found: null,
    expected,
  });
  if (text.length > largestText) {
    const line = text.slice(0, largestText).split('\n').length;
    const expected = `the file goes on for ${text.length} characters; expected at most ${largestText}`;
    throw new ConfigurationError([problem(line, expected)]);
  }
  const deep = lineOfDepth(text);
  if (deep !== null) {
    throw new ConfigurationError([problem(deep, `expected at most ${deepest} groups or lists in one another`)]);
  }
  const lineCounter = new LineCounter();
  // Its own check for settings that stand twice, and its errors with a picture of the line, take quadratic time.
  const document = parseDocument(text, { lineCounter, merge: true, uniqueKeys: false, prettyErrors: false });
  const lineAt = (offset: number | undefined): number => lineCounter.linePos(offset ?? 0).line || 1;
  const syntax = [...document.errors, ...document.warnings]
    .slice(0, mostProblems)
    .map(({ pos, message }) => problem(lineAt(pos[0]), `this is not readable as YAML: ${message.split('\n')[0]}`));
  if (syntax.length > 0) throw new ConfigurationError(syntax);
  const twice = repeatedSettings(document).map(({ path, offset }) =>
    problem(lineAt(offset), 'this setting stands twice', path),
  );
  if (twice.length > 0) throw new ConfigurationError(twice.slice(0, mostProblems));
  try {
    return { value: document.toJS() as unknown, document, lineCounter };
  } catch (cause) {
    // Aliases that stand for too much, or for nothing.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError([problem(lineAt(firstAlias(document)), `its aliases cannot be resolved: ${reason}`)]);
  }
}

/** The line where groups and lists are too deep in one another; null if they are not. Composing them is recursive. */
function lineOfDepth(text: string): number | null {
  const parser = new Parser();
  const passed = (tokens: Generator<unknown, void>): void => {
    for (const _ of tokens);
  };
  for (const lexeme of new Lexer().lex(text)) {
    passed(parser.next(lexeme));
    // The document, and what it holds.
    if (parser.stack.length > deepest + 2) return text.slice(0, parser.offset).split('\n').length;
  }
  return null;
}

function repeatedSettings(document: Document): { readonly path: string; readonly offset: number | undefined }[] {
  const found: { path: string; offset: number | undefined }[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) || key.value === '<<') continue;
        const setting = String(key.value);
        if (seen.has(setting)) found.push({ path: setting, offset: key.range?.[0] });
        seen.add(setting);
      }
    },
  });
  return found;
}

function firstAlias(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias: (_, alias) => {
      offset ??= alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

/** The line of a setting; of its nearest group where it is not in the file. From 1. */
export function lineOf({ document, lineCounter }: YamlText, path: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [depth, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else {
      const child = document.getIn([...path.slice(0, depth), Number(segment)], true);
      if (!isNode(child)) break;
      offset = child.range?.[0] ?? offset;
      node = child;
    }
  }
  return lineCounter.linePos(offset).line;
}
