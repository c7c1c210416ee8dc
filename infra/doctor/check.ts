/** One thing that the program needs, and how this machine stands with it. */
export interface Check {
  /** `TensorFlow binding` */
  readonly name: string;
  /** `missing`: the program does not run without it. `warning`: it runs, but worse or not everywhere. */
  readonly status: 'ok' | 'warning' | 'missing';
  /** What is there. */
  readonly found: string;
  /** What should be there. */
  readonly expected: string;
  /** What to do; empty when all is well. */
  readonly mend: string;
}

/** A check whose outcome is `bad` unless `good` holds; what to do is said only then. */
export function check(
  name: string,
  good: boolean,
  bad: 'warning' | 'missing',
  details: { found: string; expected: string; mend: string },
): Check {
  return { name, status: good ? 'ok' : bad, ...details, mend: good ? '' : details.mend };
}
