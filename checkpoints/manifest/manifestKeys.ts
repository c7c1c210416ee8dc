import { keys } from '../../storage/keys.js';
import type { CheckpointStage, Manifest } from './manifestSchema.js';

/** A key that a manifest names, and must not. */
export interface MisplacedKey {
  /** Path of the field in the manifest. */
  readonly path: (string | number)[];
  readonly found: string;
  readonly expected: string;
}

/**
 * The keys of a manifest that are none of its run and stage: objects that they lead to are someone else's, and nothing
 * may be read from or deleted there.
 */
export function misplacedKeys(manifest: Manifest, run: string, stage: CheckpointStage): MisplacedKey[] {
  const { checkpoints, finished, quarantined, events, discarded = [] } = manifest;
  const misplaced: MisplacedKey[] = [];
  const expect = (path: (string | number)[], found: string, isRight: boolean, expected: string): void => {
    if (!isRight) misplaced.push({ path: [...path, 'key'], found, expected });
  };
  const whole = [
    ...checkpoints.map((checkpoint, i) => [['checkpoints', i], checkpoint] as const),
    ...quarantined.map(({ checkpoint }, i) => [['quarantined', i, 'checkpoint'], checkpoint] as const),
  ];
  for (const [path, checkpoint] of whole) {
    if (checkpoint === undefined) continue;
    const expected = keys.checkpoint(run, stage, checkpoint.step, checkpoint.attempt);
    expect([...path], checkpoint.key, checkpoint.key === expected, expected);
  }
  const named = [
    ...Object.entries(finished).map(([name, final]) => [['finished', name], final] as const),
    ...quarantined.map((entry, i) => [['quarantined', i], entry] as const),
  ];
  for (const [path, { key, step }] of named) {
    const expected = keys.checkpoint(run, stage, step, '');
    expect([...path], key, isNamed(key, expected), `${expected}ATTEMPT`);
  }
  for (const [i, { key, from }] of events.entries()) {
    const expected = keys.eventSegment(run, stage, from, '');
    expect(['events', i], key, isNamed(key, expected), `${expected}ATTEMPT`);
  }
  for (const [i, found] of discarded.entries()) {
    if (!isDiscardable(found, run, stage)) {
      const expected = `an object below ${keys.checkpoints(run, stage)} or ${keys.events(run, stage)}`;
      misplaced.push({ path: ['discarded', i], found, expected });
    }
  }
  return misplaced;
}

/** Whether a key is that of a part of a checkpoint of the stage, or of a segment of its events. */
export function isDiscardable(key: string, run: string, stage: CheckpointStage): boolean {
  const isPart = isNamed(key, `${keys.checkpoints(run, stage)}/`, /^\d{8,}-\w[\w.-]*\/\w[\w.-]*$/);
  const segments = keys.eventSegment(run, stage, 0, '').replace(/0+\.$/, '');
  return isPart || isNamed(key, segments, /^\d{10,}\.\w[\w.-]*$/);
}

/** A prefix with a name after it: that of an attempt, if no other form is asked for. */
function isNamed(key: string, prefix: string, form = /^\w[\w.-]*$/): boolean {
  return key.startsWith(prefix) && form.test(key.slice(prefix.length));
}
