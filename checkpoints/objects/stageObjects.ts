import { keys } from '../../storage/keys.js';
import type { ObjectInformation, ObjectStore } from '../../storage/types.js';
import type { CheckpointStage } from '../manifest/manifestSchema.js';
import { partNames } from '../reading/trainingState.js';

/** A folder below a stage's checkpoints, as its name and its objects tell. */
export interface CheckpointFolder {
  readonly step: number;
  readonly attempt: string;
  /** Prefix of its parts' keys. */
  readonly key: string;
  readonly objects: readonly ObjectInformation[];
  /** None of the parts is missing; whether they are what was written is not known. */
  readonly isWhole: boolean;
}

/** A segment of a stage's event log, as its name tells. */
export interface EventObject extends ObjectInformation {
  readonly from: number;
  readonly attempt: string;
}

/** What lies in a stage's folders, whatever its manifest says. */
export interface StageObjects {
  /** In ascending order of step. */
  readonly checkpoints: readonly CheckpointFolder[];
  readonly events: readonly EventObject[];
  /** Objects whose names tell neither: what checks of the store left, above all. */
  readonly others: readonly ObjectInformation[];
}

export async function listStageObjects(store: ObjectStore, run: string, stage: CheckpointStage): Promise<StageObjects> {
  const folders = new Map<string, ObjectInformation[]>();
  const others: ObjectInformation[] = [];
  const events: EventObject[] = [];
  const root = `${keys.checkpoints(run, stage)}/`;
  for await (const object of store.list(root)) {
    const folder = /^(\d{8,}-[\w.-]+)\/[^/]+$/.exec(object.key.slice(root.length))?.[1];
    if (folder === undefined) others.push(object);
    else folders.set(folder, [...(folders.get(folder) ?? []), object]);
  }
  const segment = keys.eventSegment(run, stage, 0, '').replace(/0+\.$/, '');
  for await (const object of store.list(`${keys.events(run, stage)}/`)) {
    const [, from, attempt] = /^(\d{10,})\.([\w.-]+)$/.exec(object.key.slice(segment.length)) ?? [];
    if (from === undefined || attempt === undefined || !object.key.startsWith(segment)) others.push(object);
    else events.push({ ...object, from: Number(from), attempt });
  }
  const checkpoints = [...folders].map(([name, objects]): CheckpointFolder => {
    const dash = name.indexOf('-');
    const key = `${root}${name}`;
    const isWhole = partNames.every((part) => objects.some((object) => object.key === `${key}/${part}`));
    return { step: Number(name.slice(0, dash)), attempt: name.slice(dash + 1), key, objects, isWhole };
  });
  return { checkpoints: checkpoints.sort((a, b) => a.step - b.step), events, others };
}
