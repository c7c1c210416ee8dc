import { setTimeout as sleep } from 'node:timers/promises';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { Cluster, GpuNode } from './cluster/cluster.js';
import type { JournalStep } from './cluster/journal.js';
import { signal } from './cluster/processes.js';
import type { SeenRequest } from '../support/servers/s3Proxy.js';

/** Where faults happen. */
export interface Scene {
  readonly cluster: Cluster;
  /** Aborted when the run ends. */
  readonly ended: AbortSignal;
  /** A seeded choice. */
  readonly choose: (bound: number) => number;
  /** What the run is to come to; it may begin with fewer iterations, and be extended. */
  readonly wanted: RunConfiguration;
}

export interface Process {
  readonly pid: number;
  readonly node: GpuNode;
}

const patienceSeconds = 120;

/** Thrown when the run ended before a fault had its victim. */
export class RunEnded extends Error {
  override readonly name = 'RunEnded';
}

/** Waits for a process that GPU workers supervise. @param module `trainer.js` or `predictor.js` */
export async function supervised({ cluster, ended }: Scene, module: string): Promise<Process> {
  return until(ended, `a ${module}`, () => {
    for (const node of cluster.gpus) {
      const pid = node.worker.child(module);
      if (pid !== null) return { pid, node };
    }
    return null;
  });
}

/** The trainer that makes steps just now. */
export async function training(scene: Scene): Promise<Process & { readonly step: JournalStep }> {
  const { cluster, ended } = scene;
  return until(ended, 'a trainer that trains', () => {
    const { last } = cluster.journal;
    const node = cluster.gpus.find(({ worker }) => last !== null && worker.child('trainer.js') === last.pid);
    return last !== null && node !== undefined ? { pid: last.pid, node, step: last } : null;
  });
}

/** The next step that another process than this one begins. */
export async function goesOn({ cluster, ended }: Scene, except: number | null): Promise<JournalStep> {
  const patience = AbortSignal.any([ended, AbortSignal.timeout(patienceSeconds * 1000)]);
  const step = await cluster.journal.next(({ pid }) => pid !== except, patience);
  if (step !== null) return step;
  if (ended.aborted) throw new RunEnded('The run ended.');
  throw new Error(`No step was begun for ${patienceSeconds} s.`);
}

export async function until<T>(ended: AbortSignal, what: string, look: () => T | null): Promise<T> {
  const deadline = Date.now() + patienceSeconds * 1000;
  for (;;) {
    const found = look();
    if (found !== null) return found;
    if (ended.aborted) throw new RunEnded(`The run ended before ${what} was there.`);
    if (Date.now() > deadline) throw new Error(`${what} did not appear within ${patienceSeconds} s.`);
    await sleep(20);
  }
}

/** A request that the run is waited for to make. */
export async function orEnded<T>(work: Promise<T>, ended: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const over = new Promise<never>((_, reject) => {
    stop = () => reject(new RunEnded('The run ended.'));
    ended.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    ended.removeEventListener('abort', stop);
  }
}

export function kill(pid: number, name: NodeJS.Signals): void {
  if (!signal(pid, name)) throw new Error(`There is no process ${pid} any more.`);
}

export const isManifestPut = ({ method, path }: SeenRequest): boolean =>
  method === 'PUT' && path.endsWith('/manifest.json');
export const isPartPut = ({ method, path }: SeenRequest): boolean =>
  method === 'PUT' && /\/checkpoints\/\d+-[^/]+\/model\.safetensors$/.test(path);
export const isDeletion = ({ method, query }: SeenRequest): boolean => method === 'POST' && /(^|&)delete/.test(query);
