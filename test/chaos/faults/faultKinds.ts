import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeenRequest, Treatment } from '../../support/servers/s3Proxy.js';
import type { Cluster } from '../cluster/cluster.js';
import { goesOn, kill, orEnded, training, type Scene } from '../scene.js';

/** Something that goes wrong while a stage trains. */
export interface TrainingFault {
  readonly name: string;
  /** How many checkpoint intervals may be made again for it. */
  readonly intervals: 1 | 2 | 3;
  /** Steps in the stage that it needs before it, in checkpoint intervals. */
  readonly after: number;
  /** It strikes at a request that is waited for, of a checkpoint above all: `inject` tells when it does. */
  readonly awaits: boolean;
  /**
   * Does it, and undoes it.
   *
   * @param struck called when what it waits for has come.
   * @returns the process whose steps do not count as going on; null if none was harmed.
   */
  inject(scene: Scene, struck: () => void): Promise<number | null>;
}

export const fault = (
  name: string,
  inject: TrainingFault['inject'],
  more: Partial<TrainingFault> = {},
): TrainingFault => {
  return { name, intervals: 1, after: 0, awaits: false, inject, ...more };
};

export const toTrainer = (name: NodeJS.Signals): TrainingFault =>
  fault(`${name} to the trainer`, async (scene) => {
    const { pid } = await training(scene);
    kill(pid, name);
    return pid;
  });

export const toWorker = (name: NodeJS.Signals, group = false): TrainingFault =>
  fault(`${name} to ${group ? "the GPU worker's process group" : 'the GPU worker'}`, async (scene) => {
    const { pid, node } = await training(scene);
    kill(group ? -node.worker.group : (node.worker.pid ?? 0), name);
    return pid;
  });

/** A request of the trainer that does not arrive as it should; the trainer lives on. */
export const onRequest = (name: string, fits: (request: SeenRequest) => boolean, treatment: Treatment): TrainingFault =>
  fault(
    name,
    async (scene, struck) => {
      await training(scene);
      await orEnded(scene.cluster.s3.treatNext(fits, treatment), scene.ended);
      struck();
      return null;
    },
    { awaits: true },
  );

type Fate = 'deliver' | 'drop' | 'deliver late';

/** Something is done while the store has a request. @param then 'deliver late': when another trainer has gone on. */
export async function during(
  scene: Scene,
  fits: (request: SeenRequest) => boolean,
  then: Fate,
  act: () => Promise<number>,
): Promise<number> {
  let decide: (what: 'deliver' | 'drop') => void = () => undefined;
  const until = new Promise<'deliver' | 'drop'>((resolve) => (decide = resolve));
  try {
    await orEnded(scene.cluster.s3.treatNext(fits, { kind: 'hold', until }), scene.ended);
    const pid = await act();
    if (then === 'deliver late') await goesOn(scene, pid);
    return pid;
  } finally {
    decide(then === 'drop' ? 'drop' : 'deliver');
  }
}

/** The trainer dies while the store has its request. */
export const diesIn = (name: string, fits: (request: SeenRequest) => boolean, then: Fate, after = 0): TrainingFault =>
  fault(
    name,
    async (scene, struck) => {
      await training(scene);
      return during(scene, fits, then, async () => {
        struck();
        const { pid } = await training(scene);
        kill(pid, 'SIGKILL');
        return pid;
      });
    },
    { after, awaits: true },
  );

/** For some seconds, all requests to the store are treated so. */
export const whileStore = (name: string, treatment: Treatment, seconds: number): TrainingFault =>
  fault(name, async ({ cluster }) => {
    cluster.s3.treat(() => treatment);
    await sleep(seconds * 1000);
    cluster.s3.treat(null);
    return null;
  });

/** The S3 server is killed, and comes back to its port after some seconds. */
export async function withoutStore(cluster: Cluster, seconds: number, work: () => Promise<void>): Promise<void> {
  cluster.signalService('objectStore', 'SIGKILL');
  await cluster.objectStore.ended;
  try {
    await work();
    await sleep(seconds * 1000);
  } finally {
    await cluster.startObjectStore();
  }
}

/** Flips the lowest bit of a byte in the middle of a file. */
export function flipBit(file: string): void {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 1;
  writeFileSync(file, bytes);
}

/** Files below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
