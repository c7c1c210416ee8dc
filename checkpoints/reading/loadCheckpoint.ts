import type { ObjectStore } from '../../storage/types.js';
import type { Manifest, ManifestCheckpoint, QuarantinedCheckpoint } from '../manifest/manifestSchema.js';
import { DamagedCheckpoint, readParts } from './readCheckpoint.js';
import { decodeTrainingState, type TrainingState } from './trainingState.js';

export interface LoadedCheckpoint {
  readonly state: TrainingState;
  readonly checkpoint: ManifestCheckpoint;
  /** Newer ones that turned out damaged. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/** Why checkpoints cannot be read, by step and key. */
export type DamageReasons = readonly Pick<QuarantinedCheckpoint, 'step' | 'key' | 'reason'>[];

/**
 * The newest checkpoint that can be read: of those that count, and if there is none, of those that were put aside before,
 * whose objects may have been restored since. Changes nothing.
 *
 * @returns the reasons where none of them can be read: none where there has never been one.
 */
export async function loadNewest(
  store: ObjectStore,
  { checkpoints, quarantined }: Manifest,
): Promise<LoadedCheckpoint | { readonly damaged: DamageReasons }> {
  const damaged: DamagedCheckpoint[] = [];
  const newestFirst = (a: { step: number }, b: { step: number }): number => b.step - a.step;
  for (const checkpoint of checkpoints.toSorted(newestFirst)) {
    const state = await readState(store, checkpoint, damaged);
    if (state !== null) return { state, checkpoint, damaged };
  }
  const putAside = quarantined.toSorted(newestFirst);
  const reasons: DamageReasons[number][] = damaged.map(({ checkpoint: { step, key }, reason }) => ({
    step,
    key,
    reason,
  }));
  for (const entry of putAside) {
    const again: DamagedCheckpoint[] = [];
    const state = entry.checkpoint ? await readState(store, entry.checkpoint, again) : null;
    if (entry.checkpoint && state !== null) return { state, checkpoint: entry.checkpoint, damaged };
    reasons.push({ step: entry.step, key: entry.key, reason: again[0]?.reason ?? entry.reason });
  }
  return { damaged: reasons };
}

async function readState(
  store: ObjectStore,
  checkpoint: ManifestCheckpoint,
  damaged: DamagedCheckpoint[],
): Promise<TrainingState | null> {
  try {
    return decodeTrainingState(await readParts(store, checkpoint), checkpoint.key);
  } catch (cause) {
    if (!(cause instanceof DamagedCheckpoint)) throw cause;
    damaged.push(cause);
    return null;
  }
}

/**
 * The manifest once training goes on from a checkpoint: damaged ones are put aside, along with the note that their stage had
 * finished with them, and the events behind it, for those steps are trained again.
 */
export function goingOnFrom({ checkpoint, damaged }: LoadedCheckpoint, manifest: Manifest): Manifest {
  const { key, step } = checkpoint;
  const bad = new Map(damaged.map((cause) => [cause.checkpoint.key, cause.reason]));
  const at = new Date().toISOString();
  const putAside = manifest.checkpoints.flatMap((entry): QuarantinedCheckpoint[] => {
    const reason = bad.get(entry.key);
    return reason === undefined ? [] : [{ step: entry.step, key: entry.key, reason, at, checkpoint: entry }];
  });
  const good = manifest.checkpoints.filter((entry) => !bad.has(entry.key));
  return {
    ...manifest,
    checkpoints: good.some((entry) => entry.key === key) ? good : [...good, checkpoint],
    quarantined: [...manifest.quarantined.filter((entry) => entry.key !== key), ...putAside],
    finished: Object.fromEntries(Object.entries(manifest.finished).filter(([, final]) => !bad.has(final.key))),
    events: manifest.events.filter(({ to }) => to <= step),
  };
}
