/** What a run may be called: its name is a workflow id, a folder and a part of keys. */
export const runNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The same in words, for errors. */
export const runNameRule = 'at most 100 letters, digits, dots, dashes and underscores, the first a letter or digit';

/** A checkpoint of a run as users name it: `RUN[/STAGE][@STEP]`. */
export interface CheckpointName {
  readonly run: string;
  /** Whether there is such a stage is the caller's to say; null where none is named. */
  readonly stage: string | null;
  /** null: the newest. */
  readonly step: number | null;
}

/** @returns null for what is no such name. */
export function parseCheckpointName(text: string): CheckpointName | null {
  const named = /^([^/@]+)(?:\/([a-z-]+))?(?:@(\d+))?$/.exec(text);
  const run = named?.[1];
  if (run === undefined || !runNamePattern.test(run)) return null;
  return { run, stage: named?.[2] ?? null, step: named?.[3] === undefined ? null : Number(named[3]) };
}
