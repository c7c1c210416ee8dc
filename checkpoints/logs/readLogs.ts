import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/types.js';

/** What an attempt at a step has printed, in the order of its parts. */
export interface AttemptLog {
  readonly step: string;
  /** From 1, in the order in which the step's attempts began. */
  readonly attempt: number;
  readonly began: Date;
  readonly parts: readonly { readonly key: string; readonly size: number }[];
}

/** The logs of a run's attempts, oldest first. */
export async function listLogs(store: ObjectStore, run: string): Promise<AttemptLog[]> {
  const found = new Map<string, { key: string; size: number }[]>();
  for await (const { key, size } of store.list(`${keys.logs(run)}/`)) {
    const folder = key.slice(0, key.lastIndexOf('/'));
    found.set(folder, [...(found.get(folder) ?? []), { key, size }]);
  }
  const attempts = [...found].flatMap(([folder, parts]) => {
    const [step, name] = folder.slice(keys.logs(run).length + 1).split('/');
    const began = dateOf(name ?? '');
    if (step === undefined || began === null) return [];
    return [{ step, began, parts: parts.sort((a, b) => (a.key < b.key ? -1 : 1)) }];
  });
  attempts.sort((a, b) => a.began.getTime() - b.began.getTime());
  const counts = new Map<string, number>();
  return attempts.map((log) => {
    const attempt = (counts.get(log.step) ?? 0) + 1;
    counts.set(log.step, attempt);
    return { ...log, attempt };
  });
}

/** Names an attempt by when it began, for keys: `20261129T222003123Z-9f3a`. @param mark what no other attempt has. */
export function attemptLogName(began: Date, mark: string): string {
  return `${began.toISOString().replace(/[-:.]/g, '')}-${mark}`;
}

function dateOf(name: string): Date | null {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-/.exec(name);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, millisecond] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
}
