import { statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readManifest } from '../../../checkpoints/manifest/readManifest.js';
import { checkpointStageOf } from '../../../checkpoints/manifest/manifestSchema.js';
import { partNames } from '../../../checkpoints/reading/trainingState.js';
import { applyRepair, planRepair } from '../../../checkpoints/repair/planRepair.js';
import { keys } from '../../../storage/keys.js';
import { RunError } from '../../../client/connection/client.js';
import { cancelRun, extendRun, pauseRun, resumeRun } from '../../../client/runs/runs.js';
import { during, fault, type TrainingFault } from './faultKinds.js';
import { goesOn, isManifestPut, kill, supervised, training, until, type Scene } from '../scene.js';

/** Milliseconds in which a storm strikes: within the time that a worker takes to be told. */
const calm = 400;

/** Several things at once, and what people do in a hurry: `npm run chaos -- --severe`. */
export const severeFaults: readonly TrainingFault[] = [
  fault('trainer, GPU worker and data worker killed at once', async (scene) => {
    const { pid, node } = await training(scene);
    const data = await until(scene.ended, 'a data worker', () => scene.cluster.data.pid);
    for (const one of [pid, node.worker.pid, data]) if (one !== null) kill(one, 'SIGKILL');
    return pid;
  }),
  fault(
    'trainer and GPU worker stand still (SIGSTOP) beyond the heartbeat, and wake when others have gone on',
    async (scene) => {
      const { pid, node } = await training(scene);
      const standing = [node.worker.pid, pid].filter((one) => one !== null);
      for (const one of standing) kill(one, 'SIGSTOP');
      try {
        await goesOn(scene, pid);
        await sleep(1000);
      } finally {
        for (const one of standing) process.kill(one, 'SIGCONT');
      }
      return pid;
    },
  ),
  fault('a storm of pause, resume and extend', storm, { intervals: 1 }),
  fault('the run is cancelled during a claim, and resumed', async (scene) => {
    const { cluster } = scene;
    const { pid } = await training(scene);
    kill(pid, 'SIGKILL');
    cluster.isToBeResumed = true;
    const claiming = await during(scene, isManifestPut, 'deliver', async () => {
      const next = await supervised(scene, 'trainer.js');
      await cancelRun(cluster.client, cluster.run);
      await sleep(calm);
      return next.pid;
    });
    await endOf(scene);
    await resume(scene);
    return claiming;
  }),
  fault('the manifest is deleted under the live run: refused, repaired, resumed', async (scene) => {
    const { cluster } = scene;
    const { pid, stage } = await withCheckpoints(scene, 1);
    const [{ store, run, configuration }, folder] = [cluster, checkpointStageOf(stage)];
    cluster.isToBeResumed = true;
    await store.delete([keys.manifest(run, folder)]);
    const end = await endOf(scene);
    if (!end.includes(`tempeh-flow repair ${run}`)) throw new Error(`It is not said how it is repaired: ${end}`);
    const repair = await planRepair(store, run, folder, configuration);
    if (repair?.manifest == null) throw new Error('There is nothing that the manifest could be made from.');
    await applyRepair(store, repair);
    await resume(scene);
    return pid;
  }),
  fault(
    'newest checkpoint truncated, the one before deleted, trainer killed; both restored when it has gone on',
    async (scene) => {
      const { cluster } = scene;
      const { pid, stage, checkpoints } = await withCheckpoints(scene, 3);
      kill(pid, 'SIGKILL');
      const [before, newest] = checkpoints.slice(-2) as [string, string];
      const truncated = cluster.fileOf(`${newest}/model.safetensors`);
      const size = statSync(truncated).size;
      truncateSync(truncated, size >> 1);
      const restore = partNames.map((name) => cluster.takeAway(`${before}/${name}`));
      await goesOn(scene, pid);
      for (const again of restore) again();
      const manifest = await readManifest(cluster.store, cluster.run, checkpointStageOf(stage));
      const putAside = manifest?.quarantined.map(({ key }) => key) ?? [];
      for (const key of [before, newest]) {
        if (!putAside.includes(key)) throw new Error(`${key} was not put aside: ${putAside.join(', ')}`);
      }
      return pid;
    },
    { intervals: 3, after: 3 },
  ),
];

/** Waits until the run has ended. @returns why, with all causes. */
async function endOf({ cluster: { client, run } }: Scene): Promise<string> {
  try {
    await client.workflow.getHandle(run).result();
    return 'it is done';
  } catch (error) {
    const causes: string[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(cause.message);
    return causes.join('; ');
  }
}

async function resume({ cluster }: Scene): Promise<void> {
  await resumeRun(cluster.client, cluster.run);
  cluster.isToBeResumed = false;
}

/** @returns the trainer, and keys of the checkpoints of its stage: so many at least. */
async function withCheckpoints(scene: Scene, least: number) {
  const { store, run } = scene.cluster;
  for (;;) {
    const { pid, step } = await training(scene);
    const manifest = await readManifest(store, run, checkpointStageOf(step.stage));
    const checkpoints = manifest?.checkpoints.map(({ key }) => key) ?? [];
    if (checkpoints.length >= least) return { pid, stage: step.stage, checkpoints };
    await sleep(100);
  }
}

/** Whoever asks does not wait for what the one before asked for. */
async function storm(scene: Scene): Promise<number> {
  const { cluster, wanted } = scene;
  const { client, run } = cluster;
  const { pid, step } = await training(scene);
  const { iterations } = wanted.training[step.stage];
  const orders = [
    () => pauseRun(client, run),
    () => resumeRun(client, run),
    () => extendRun(client, run, { stage: step.stage, iterations }),
  ];
  for (let i = 0; i < 9; i++) {
    // One that does not fit what the run is at is refused, in order.
    await orders[scene.choose(orders.length)]!().catch(refused);
    await sleep(scene.choose(calm));
  }
  await extendRun(client, run, { stage: step.stage, iterations }).catch(refused);
  await resumeRun(client, run).catch(refused);
  return pid;
}

function refused(cause: unknown): void {
  if (!(cause instanceof RunError)) throw cause;
}
