import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readManifest } from '../../../checkpoints/manifest/readManifest.js';
import { checkpointStageOf } from '../../../checkpoints/manifest/manifestSchema.js';
import {
  diesIn,
  during,
  fault,
  filesBelow,
  flipBit,
  onRequest,
  toTrainer,
  toWorker,
  whileStore,
  withoutStore,
  type TrainingFault,
} from './faultKinds.js';
import { fillDisk } from './fillDisk.js';
import { canMount } from '../cluster/managedWorker.js';
import { goesOn, isDeletion, isManifestPut, isPartPut, kill, orEnded, supervised, training, until } from '../scene.js';

/** What can go wrong while a stage trains. */
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
