/** Something about data that training would stumble over, in words that say what to do. */
export interface Finding {
  /** `error`: the networks cannot learn from it. `warning`: it works, but is not what was meant, most likely. */
  readonly severity: 'error' | 'warning';
  readonly found: string;
  readonly expected: string;
  readonly advice: string;
}

/** A finding about the units, the place or the range of what a file holds. */
export interface WorldFinding extends Finding {
  readonly part: 'template' | 'registration' | 'scan' | 'image';
  /** The file that it was found in; null where it is of several. */
  readonly file: string | null;
}
