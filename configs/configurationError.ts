import { printable } from '../text/printable.js';

const longestLine = 1000;

/** One thing that is wrong with a configuration, in plain words. */
export interface ConfigurationProblem {
  /** `miniature.yaml:12`, or `--set training.refinement.batchSize=two`. */
  readonly where: string;
  /** Dotted path of the setting; empty for the whole file. */
  readonly setting: string;
  /** What stands there; null where nothing does, or where it must not be repeated. */
  readonly found: string | null;
  readonly expected: string;
}

/** Thrown when a configuration cannot be used. All problems at once; the message is human-readable, a line each. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  constructor(readonly problems: readonly ConfigurationProblem[]) {
    super(problems.map(describeProblem).join('\n'));
  }
}

function describeProblem({ where, setting, found, expected }: ConfigurationProblem): string {
  const subject = setting === '' ? '' : ` ${setting}:`;
  return printable(`${where}:${subject} ${found === null ? '' : `found ${seen(found)}; `}${expected}`, longestLine);
}

/** In quotes where it could not be seen otherwise: nothing, or blanks around it. */
function seen(found: string): string {
  return found === '' || found !== found.trim() ? JSON.stringify(found) : found;
}
