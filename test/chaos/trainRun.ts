import { WorkflowFailedError } from '@temporalio/client';
import { startRun } from '../../client/runs/runs.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { counterRandom } from '../../geometry/random.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import type { Cluster } from './cluster/cluster.js';
import { contentOf, type RunContent } from './compareRuns.js';
import type { Event } from './faults/schedule.js';
import type { Scene } from './scene.js';

export interface Trained {
  readonly result: FullTrainingResult;
  readonly content: RunContent;
  readonly seconds: number;
}

/** Full training, from fetching to the evaluation; beside it, what is to go wrong. */
export async function trainRun(
  cluster: Cluster,
  begun: RunConfiguration,
  disturb: (scene: Scene, startedAt: number) => Promise<void> = async () => undefined,
): Promise<Trained> {
  const { client, run, configuration } = cluster;
  const ending = new AbortController();
  const startedAt = Date.now();
  await startRun(client, { run, configuration: begun });
  const { uint32 } = counterRandom(configuration.seed, 'chaos choices');
  const scene: Scene = { cluster, ended: ending.signal, choose: (bound) => uint32() % bound, wanted: configuration };
  const disturbing = disturb(scene, startedAt);
  disturbing.catch(() => undefined);
  const finishing = resultOf(cluster).finally(() => ending.abort());
  // A fault that cannot be made ends everything: the run would go on for nothing.
  const [result] = await Promise.all([finishing, disturbing]);
  const seconds = (Date.now() - startedAt) / 1000;
  return { result, content: await contentOf(cluster, result), seconds };
}

/** Waits for the end of a run, through restarts of Temporal. */
async function resultOf(cluster: Cluster): Promise<FullTrainingResult> {
  const { client, run } = cluster;
  const patience = Date.now() + 30 * 60_000;
  for (;;) {
    try {
      return (await client.workflow.getHandle(run).result()) as FullTrainingResult;
    } catch (error) {
      const isAway = error instanceof Error && error.name === 'ServiceError';
      const isResumed = cluster.isToBeResumed && error instanceof WorkflowFailedError;
      if (!(isAway || isResumed) || Date.now() > patience) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

/** A stage that will be extended in a storm begins an interval shorter. */
export function shortened(configuration: RunConfiguration, planned: readonly Event[]): RunConfiguration {
  const training = { ...configuration.training };
  for (const event of planned) {
    if (event.kind !== 'training' || !event.planned.fault.name.includes('extend')) continue;
    const { stage } = event.planned;
    const { iterations, checkpointEvery } = configuration.training[stage];
    training[stage] = { ...training[stage], iterations: iterations - checkpointEvery };
  }
  return { ...configuration, training };
}
