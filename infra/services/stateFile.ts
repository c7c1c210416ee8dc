import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProcessIdentity } from './processIdentity.js';

/** What a running service leaves in its directory, for the next one who wants to start it there. */
export interface ServiceState {
  /** The leader of the service's process group. */
  readonly service: ProcessIdentity;
  /** Who started it, and takes it along when it ends. */
  readonly owner: ProcessIdentity;
  readonly ports: readonly number[];
}

const file = (directory: string): string => path.join(directory, 'service.json');

/** What the last service in this directory left; nothing if it was stopped in order, or never was. */
export function readState(directory: string): ServiceState | undefined {
  try {
    const state = JSON.parse(readFileSync(file(directory), 'utf8')) as Partial<ServiceState>;
    return state.service && state.owner && state.ports ? (state as ServiceState) : undefined;
  } catch {
    // Absent, or cut off by a crash of the machine: then nothing of it runs.
    return undefined;
  }
}

export function writeState(directory: string, state: ServiceState): void {
  const fresh = `${file(directory)}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file(directory));
}

export function removeState(directory: string): void {
  rmSync(file(directory), { force: true });
}
