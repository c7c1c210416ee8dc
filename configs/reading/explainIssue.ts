import type { z } from 'zod';
import { settingNames, settingPaths } from '../documentation/settings.js';
import { didYouMean, suggest } from './suggestions.js';

type Issue = z.core.$ZodIssue;

/** What zod found wrong, in plain words. */
export interface Explanation {
  readonly path: readonly string[];
  /** Is it about the value that stands at the path, so that it helps to repeat it? */
  readonly aboutValue: boolean;
  readonly expected: string;
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a group of settings',
  null: 'null',
};

/** One or more explanations of an issue: each unknown name gets its own. */
export function explainIssue(issue: Issue): Explanation[] {
  const path = issue.path.map(String);
  const aboutValue = (expected: string): Explanation[] => [
    { path, aboutValue: true, expected: `expected ${expected}` },
  ];
  switch (issue.code) {
    case 'invalid_type':
      return aboutValue(typeNames[issue.expected] ?? issue.expected);
    case 'too_small':
      return aboutValue(bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum));
    case 'too_big':
      return aboutValue(bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum));
    case 'invalid_value':
      return aboutValue(oneOf(issue.values));
    case 'invalid_union': {
      const kinds = 'options' in issue && Array.isArray(issue.options) ? (issue.options as unknown[]) : [];
      return aboutValue(kinds.length > 0 ? oneOf(kinds) : issue.message);
    }
    case 'invalid_format':
      return aboutValue(formatName(issue));
    case 'unrecognized_keys':
      return unknownNames(path, issue.keys);
    case 'custom':
      return [{ path, aboutValue: false, expected: issue.message }];
    default:
      return [{ path, aboutValue: true, expected: issue.message }];
  }
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`;
}

function formatName(issue: z.core.$ZodIssueInvalidStringFormat): string {
  if (issue.format === 'url') return 'an address, such as https://host/path';
  // Patterns of ours say in words what they want.
  return issue.format === 'regex' && !issue.message.startsWith('Invalid') ? issue.message : `the form ${issue.format}`;
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'string') return `text of ${relation} ${limit} characters`;
  if (origin === 'array' || origin === 'tuple')
    return `a list of ${relation} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `a number of ${relation} ${limit}`;
}

/** What was meant is looked for among some hundred settings, for each name. */
const mostNames = 20;

function unknownNames(parent: readonly string[], names: readonly string[]): Explanation[] {
  const explained = names.slice(0, mostNames).map((name) => unknownName(parent, name));
  const rest = names.length - explained.length;
  if (rest === 0) return explained;
  const path = [...parent, names[mostNames]!];
  return [
    ...explained,
    { path, aboutValue: false, expected: `there is no such setting, nor for ${rest - 1} more names` },
  ];
}

function unknownName(parent: readonly string[], name: string): Explanation {
  const path = [...parent, name];
  // Of alternatives (kind: …) another may have a setting of this very name.
  const names = settingNames(parent).filter((sibling) => sibling !== name);
  const siblings = suggest(name, names);
  const others = settingPaths().filter((other) => other !== path.join('.'));
  const elsewhere = siblings.length > 0 ? [] : suggest(path.join('.'), others);
  return {
    path,
    aboutValue: false,
    expected: `there is no such setting.${didYouMean(siblings.length > 0 ? siblings : elsewhere)}`,
  };
}
