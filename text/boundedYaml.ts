import { isScalar, Lexer, LineCounter, parseDocument, Parser, visit, type Document, type Node } from 'yaml';

/** Limits of a text: beyond them, the time to read it grows faster than its length. */
export interface YamlLimits {
  /** Characters. */
  readonly longest: number;
  /** How deep groups and lists may be nested. */
  readonly deepest: number;
  /** Tags (`!…`) that are allowed beside those of YAML's own types; they are ignored. */
  readonly knownTags?: readonly string[];
  /** How often one part may be repeated by aliases, those in it included. */
  readonly mostAliases?: number;
}

/** A text's content, and where each part of it stands. */
export interface BoundedYaml {
  readonly value: unknown;
  readonly document: Document;
  readonly lineCounter: LineCounter;
}

/** One thing that is wrong with a text. */
export interface YamlProblem {
  /** From 1. */
  readonly line: number;
  /** A key that it is about; empty for others. */
  readonly key: string;
  readonly problem: string;
}

/** Thrown for a text that is no YAML, or more than it may be. */
export class YamlUnreadable extends Error {
  override readonly name = 'YamlUnreadable';
  constructor(readonly problems: readonly YamlProblem[]) {
    super(problems.map(({ line, key, problem }) => `line ${line}: ${key && `${key}: `}${problem}`).join('\n'));
  }
}

const mostProblems = 20;

/**
 * Reads YAML from outside (JSON is YAML, too) in bounded time: too many or circular aliases, too deep nesting and repeated keys
 * are refused.
 *
 * @throws YamlUnreadable
 */
export function readBoundedYaml(
  text: string,
  { longest, deepest, knownTags = [], mostAliases = 100 }: YamlLimits,
): BoundedYaml {
  const refuse = (line: number, problem: string): never => {
    throw new YamlUnreadable([{ line, key: '', problem }]);
  };
  if (text.length > longest) {
    const line = text.slice(0, longest).split('\n').length;
    return refuse(line, `the file goes on for ${text.length} characters; expected at most ${longest}`);
  }
  const deep = lineOfDepth(text, deepest);
  if (deep !== null) return refuse(deep, `expected at most ${deepest} nested groups or lists`);
  const lineCounter = new LineCounter();
  const lineAt = (offset = 0): number => lineCounter.linePos(offset).line || 1;
  // The library's own check for repeated keys, and its errors with a picture of the line, take quadratic time.
  const options = { lineCounter, merge: true, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const;
  const document = parseDocument(text, options);
  const isUnknown = ({ message }: { readonly message: string }): boolean =>
    !message.startsWith('Unresolved tag') || !knownTags.some((tag) => message.endsWith(tag));
  const wrong = [...document.errors, ...document.warnings.filter(isUnknown)]
    .slice(0, mostProblems)
    .map(({ pos, message }) => ({
      line: lineAt(pos[0]),
      key: '',
      problem: `this is not readable as YAML: ${message.split('\n')[0]}`,
    }));
  if (wrong.length > 0) throw new YamlUnreadable(wrong);
  const twice = repeatedKeys(document).map(({ key, offset }) => ({
    line: lineAt(offset),
    key,
    problem: 'this setting is given twice',
  }));
  if (twice.length > 0) throw new YamlUnreadable(twice.slice(0, mostProblems));
  const endless = aliasToItself(document);
  if (endless !== null) return refuse(lineAt(endless), 'this alias stands for what it is a part of, which has no end');
  try {
    return { value: document.toJS({ maxAliasCount: mostAliases }) as unknown, document, lineCounter };
  } catch (cause) {
    // Aliases that stand for too much, or for nothing.
    const reason = cause instanceof Error ? cause.message : String(cause);
    return refuse(lineAt(firstAlias(document)), `its aliases cannot be resolved: ${reason}`);
  }
}

/**
 * The line where groups and lists are nested too deep; null if there is none. Composing them is recursive: far down,
 * compiling a regular expression ends the whole process.
 */
function lineOfDepth(text: string, deepest: number): number | null {
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

function repeatedKeys(document: Document): { readonly key: string; readonly offset: number | undefined }[] {
  const found: { key: string; offset: number | undefined }[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key: node } of map.items) {
        if (!isScalar(node) || node.value === '<<') continue;
        const key = String(node.value);
        if (seen.has(key)) found.push({ key, offset: node.range?.[0] });
        seen.add(key);
      }
    },
  });
  return found;
}

/** The place of an alias in the very part that it stands for; null if there is none. */
function aliasToItself(document: Document): number | null {
  let offset: number | null = null;
  // The library resolves an alias by going through the whole document.
  const anchored = new Map<string, Node>();
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
    Alias: (_, alias, path) => {
      const target = anchored.get(alias.source);
      if (target === undefined || !path.includes(target)) return undefined;
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
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
