import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readManifest } from '../../training/checkpoints/claimedManifest.js';
import { checkpointStageOf } from '../../training/checkpoints/manifest.js';
import type { Cluster } from './cluster.js';
import { fillDisk } from './fillDisk.js';
import { canMount } from './managedWorker.js';
import {
  goesOn,
  isDeletion,
  isManifestPut,
  isPartPut,
  kill,
  orEnded,
  supervised,
  training,
  until,
  type Scene,
} from './scene.js';
import type { SeenRequest, Treatment } from '../support/s3Proxy.js';

/** Something that goes wrong while a stage trains. */
export interface TrainingFault {
  readonly name: string;
  /** How many checkpoint intervals may be made again for it. */
  readonly intervals: 1 | 2;
  /** Steps in the stage that it needs before it, in checkpoint intervals. */
  readonly after: number;
  /** It strikes at a request that is waited for, of a checkpoint above all: `inject` tells when it does. */
  readonly awaits: boolean;
  /**
   * Does it, and undoes it.
   *
   * @param struck - called when what it waits for has come.
   * @returns the process whose steps do not count as going on; null if none was harmed.
   */
  inject(scene: Scene, struck: () => void): Promise<number | null>;
}

const fault = (name: string, inject: TrainingFault['inject'], more: Partial<TrainingFault> = {}): TrainingFault => {
  return { name, intervals: 1, after: 0, awaits: false, inject, ...more };
};

const toTrainer = (name: NodeJS.Signals): TrainingFault =>
  fault(`${name} to the trainer`, async (scene) => {
    const { pid } = await training(scene);
    kill(pid, name);
    return pid;
  });

const toWorker = (name: NodeJS.Signals, group = false): TrainingFault =>
  fault(`${name} to ${group ? "the GPU worker's process group" : 'the GPU worker'}`, async (scene) => {
    const { pid, node } = await training(scene);
    kill(group ? -node.worker.group : (node.worker.pid ?? 0), name);
    return pid;
  });

/** A request of the trainer that does not arrive as it should; the trainer lives on. */
const onRequest = (name: string, fits: (request: SeenRequest) => boolean, treatment: Treatment): TrainingFault =>
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
async function during(
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
const diesIn = (name: string, fits: (request: SeenRequest) => boolean, then: Fate, after = 0): TrainingFault =>
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
const whileStore = (name: string, treatment: Treatment, seconds: number): TrainingFault =>
  fault(name, async ({ cluster }) => {
    cluster.s3.treat(() => treatment);
    await sleep(seconds * 1000);
    cluster.s3.treat(null);
    return null;
  });

/** The S3 server is killed, and comes back to its port after some seconds. */
async function withoutStore(cluster: Cluster, seconds: number, work: () => Promise<void>): Promise<void> {
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
function flipBit(file: string): void {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 1;
  writeFileSync(file, bytes);
}

/** Files below a folder. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export const trainingFaults: readonly TrainingFault[] = [
  toTrainer('SIGKILL'),
  toTrainer('SIGTERM'),
  fault('the trainer hangs (SIGSTOP)', async (scene) => {
    const { pid } = await training(scene);
    kill(pid, 'SIGSTOP');
    return pid;
  }),
  toWorker('SIGKILL'),
  toWorker('SIGTERM'),
  toWorker('SIGTERM', true),
  toWorker('SIGKILL', true),
  fault('the GPU worker hangs (SIGSTOP), its trainer trains on; both live later', async (scene) => {
    const { pid, node } = await training(scene);
    const worker = node.worker.pid ?? 0;
    kill(worker, 'SIGSTOP');
    try {
      await goesOn(scene, pid);
    } finally {
      kill(worker, 'SIGCONT');
    }
    return pid;
  }),
  fault('network between GPU worker and Temporal cut: two workers at once', async (scene) => {
    const { pid, node } = await training(scene);
    node.network.cut();
    try {
      await goesOn(scene, pid);
      await sleep(1000);
    } finally {
      node.network.heal();
    }
    return pid;
  }),
  fault('S3 server away for 45 s', async ({ cluster }) => {
    await withoutStore(cluster, 45, async () => undefined);
    return null;
  }),
  fault('S3 server killed, trainer killed while it is away, back after 6 s', async (scene) => {
    const { pid } = await training(scene);
    await withoutStore(scene.cluster, 6, async () => kill(pid, 'SIGKILL'));
    return pid;
  }),
  fault('S3 server hangs for 4 s (SIGSTOP)', async ({ cluster }) => {
    cluster.signalService('objectStore', 'SIGSTOP');
    await sleep(4000);
    cluster.signalService('objectStore', 'SIGCONT');
    return null;
  }),
  whileStore('S3 answers 503 for 3 s', { kind: 'refuse' }, 3),
  whileStore('S3 is slow for 5 s (0.4 s a request)', { kind: 'delay', milliseconds: 400 }, 5),
  whileStore('credentials expire, renewed after 4 s', { kind: 'refuse', status: 400, code: 'ExpiredToken' }, 4),
  fault("S3 server's keys replaced, trainer killed; the workers' file has the new ones 4 s later", async (scene) => {
    const { pid } = await training(scene);
    await scene.cluster.replaceKeys();
    kill(pid, 'SIGKILL');
    await sleep(4000);
    scene.cluster.renewCredentials();
    return pid;
  }),
  fault('clocks of the workers jump an hour ahead, an hour behind, and right again', async ({ cluster }) => {
    for (const seconds of [3600, -3600, 0]) {
      cluster.shiftClocks(seconds);
      await sleep(2000);
    }
    return null;
  }),
  onRequest("the manifest put's answer is lost", isManifestPut, { kind: 'lose the answer' }),
  onRequest('connection cut in a part upload', isPartPut, { kind: 'cut the body' }),
  onRequest("a part upload's answer is lost", isPartPut, { kind: 'lose the answer' }),
  diesIn('trainer killed inside the manifest put, which arrives', isManifestPut, 'deliver'),
  diesIn('trainer killed inside the manifest put, which does not arrive', isManifestPut, 'drop'),
  diesIn(
    'trainer killed inside the manifest put, which arrives when another has gone on',
    isManifestPut,
    'deliver late',
  ),
  diesIn('trainer killed inside a part upload', isPartPut, 'drop'),
  diesIn("trainer killed in retention's deletion", isDeletion, 'drop', 2),
  fault(
    'SIGTERM to the trainer inside the manifest put, which takes 2 s more',
    async (scene, struck) => {
      await training(scene);
      return during(scene, isManifestPut, 'deliver', async () => {
        struck();
        const { pid } = await training(scene);
        kill(pid, 'SIGTERM');
        await sleep(2000);
        return pid;
      });
    },
    { awaits: true },
  ),
  fault('trainer killed inside its claim, which arrives when another has gone on', async (scene) => {
    const { pid } = await training(scene);
    kill(pid, 'SIGKILL');
    return during(scene, isManifestPut, 'deliver late', async () => {
      const next = await supervised(scene, 'trainer.js');
      kill(next.pid, 'SIGKILL');
      return next.pid;
    });
  }),
  fault('trainer killed between claim and first step', async (scene) => {
    const { pid } = await training(scene);
    const claimed = scene.cluster.s3.answered(isManifestPut);
    kill(pid, 'SIGKILL');
    await orEnded(claimed, scene.ended);
    const next = await supervised(scene, 'trainer.js');
    kill(next.pid, 'SIGKILL');
    return next.pid;
  }),
  fault('trainer killed in the sweep of a claim', async (scene) => {
    const { pid } = await training(scene);
    const listed = scene.cluster.s3.answered(({ method, query }) => method === 'GET' && /list-type/.test(query));
    kill(pid, 'SIGKILL');
    await orEnded(listed, scene.ended);
    const next = await supervised(scene, 'trainer.js');
    kill(next.pid, 'SIGKILL');
    return next.pid;
  }),
  fault('Temporal killed, back after 2 s', async ({ cluster }) => {
    cluster.signalService('temporal', 'SIGKILL');
    await cluster.temporal.ended;
    await sleep(2000);
    await cluster.startTemporal();
    return null;
  }),
  fault('data worker killed while a stage trains', async ({ cluster, ended }) => {
    kill(await until(ended, 'a data worker', () => cluster.data.pid), 'SIGKILL');
    return null;
  }),
  fault(
    'newest checkpoint damaged (a bit flips on the disk of the S3 server), trainer killed',
    async (scene) => {
      const { store, run } = scene.cluster;
      // One to fall back to must be there, also where the strike came late, into the next stage.
      for (;;) {
        const { step } = await training(scene);
        const manifest = await readManifest(store, run, checkpointStageOf(step.stage));
        if ((manifest?.checkpoints.length ?? 0) >= 2) break;
        await sleep(100);
      }
      const { pid, step } = await training(scene);
      kill(pid, 'SIGKILL');
      const newest = (await readManifest(store, run, checkpointStageOf(step.stage)))?.checkpoints.at(-1);
      if (newest === undefined) throw new Error('There is no checkpoint to damage.');
      const part = ['model.safetensors', 'optimizer.safetensors', 'state.json'][scene.choose(3)]!;
      flipBit(scene.cluster.fileOf(`${newest.key}/${part}`));
      return pid;
    },
    { intervals: 2, after: 2 },
  ),
  fault("a bit flips in every object of the worker's cache, trainer killed", async (scene) => {
    const { pid, node } = await training(scene);
    const folder = join(node.worker.seenDirectory ?? '', 'runs', scene.cluster.run, 'cache');
    for (const file of filesBelow(folder)) flipBit(file);
    kill(pid, 'SIGKILL');
    return pid;
  }),
  ...(canMount === undefined
    ? []
    : [
        fault('disk of the GPU worker full, trainer killed; room again after the next has gone on', async (scene) => {
          const { pid, node } = await training(scene);
          const makeRoom = fillDisk(node.worker.seenDirectory ?? '');
          kill(pid, 'SIGKILL');
          await goesOn(scene, pid);
          makeRoom();
          return pid;
        }),
      ]),
];
