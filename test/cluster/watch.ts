import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { pendingActivities, type PendingActivity } from '../../client/runs/pendingActivities.js';
import { messages } from '../../configs/temporal.js';
import type { RunProgress } from '../../workflows/types.js';
import type { Site } from './site.js';

/** The two runs that train while things happen to the cluster, and the workers that train them. */
export const runs = ['anna', 'bert'] as const;
export const gpuWorkers = ['gpu-a', 'gpu-b'] as const;

export const minutes = (count: number): number => count * 60_000;

/** Starts runs, and looks whether they go on. */
export class Watch {
  client!: Client;

  constructor(private readonly site: Site) {}

  async start(run: string, more: readonly string[] = ['full-training']): Promise<void> {
    const { site } = this;
    const { code, stderr } = await site.command(['start', ...more, '--config', site.configurationFile(), '--run', run]);
    assert.equal(code, 0, stderr);
  }

  /** The training activity of a run that has told of a step; null where there is none just now. */
  async training(run: string): Promise<PendingActivity | null> {
    for (const stage of ['coarse-pretraining', 'coarse-finetuning', 'refinement']) {
      const described = await this.client.workflow
        .getHandle(`${run}/${stage}`)
        .describe()
        .catch(() => null);
      if (described === null || described.status.name !== 'RUNNING') continue;
      const activity = (await pendingActivities(this.client, described)).find(({ type }) => type === 'trainStage');
      if (activity?.state === 'running' && activity.heartbeatAt !== null) return activity;
    }
    return null;
  }

  /** Both train, and Temporal hears of it: heartbeats younger than this call. */
  async allGoOn(when: string): Promise<void> {
    const since = Date.now() + 1000;
    const steps = gpuWorkers.map((name) => this.site.journals.get(name)!.steps.length);
    for (const run of runs) {
      await this.until(`${run} goes on ${when}`, minutes(2), async () => {
        const activity = await this.training(run).catch(() => null);
        return activity !== null && activity.heartbeatAt!.getTime() > since ? true : null;
      });
    }
    for (const [i, name] of gpuWorkers.entries()) {
      await this.until(`${name} goes on ${when}`, minutes(2), async () =>
        this.site.journals.get(name)!.steps.length > steps[i]! ? true : null,
      );
    }
  }

  /** The stages' workflows themselves learn where they are, beside the heartbeats: attempts tell them. */
  async workflowsAreTold(when: string): Promise<void> {
    for (const run of runs) {
      const handle = this.client.workflow.getHandle(`${run}/coarse-pretraining`);
      const step = async (): Promise<number> => {
        const progress = await handle.query<RunProgress>(messages.progress);
        return progress.training?.step ?? -1;
      };
      const before = await step();
      await this.until(`${run} is told of progress ${when}`, minutes(2), async () =>
        (await step()) > before ? true : null,
      );
    }
  }

  async noAttemptWasLost(): Promise<void> {
    for (const run of runs) assert.equal((await this.training(run))?.attempt, 1, `${run} is at its first attempt`);
  }

  async until<T>(what: string, milliseconds: number, look: () => Promise<T | null>): Promise<T> {
    for (const end = Date.now() + milliseconds; Date.now() < end;) {
      const found = await look();
      if (found !== null) return found;
      await sleep(500);
    }
    throw new Error(`It was waited for in vain: ${what} (${milliseconds / 1000} s).`);
  }
}
