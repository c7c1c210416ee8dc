import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { msToTs } from '@temporalio/common/lib/time.js';
import { framesByStep } from '../chaos/cluster/journal.js';
import { signal } from '../chaos/cluster/processes.js';
import { taskQueues } from '../../configs/queues.js';
import type { FullTrainingResult } from '../../workflows/types.js';
import type { Certificates } from './certificates.js';
import type { Postgres } from './postgres.js';
import { namespace, type Site, type WorkerName } from './site.js';
import { refreshSeconds, services, type TemporalCluster } from './temporalCluster.js';
import { gpuWorkers, minutes, runs, Watch } from './watch.js';

export interface Stage {
  readonly postgres: Postgres;
  readonly certificates: Certificates;
  readonly cluster: TemporalCluster;
  readonly site: Site;
  readonly say: (text: string) => void;
}

const workers: readonly WorkerName[] = ['data-a', 'data-b', ...gpuWorkers];

/** What happens to a cluster while two runs train on it, and what must hold meanwhile. */
export class Scenario {
  private readonly watch: Watch;

  constructor(private readonly stage: Stage) {
    this.watch = new Watch(stage.site);
  }

  async play(): Promise<void> {
    const { say } = this.stage;
    await this.freshNamespace();
    await this.strangersAreRefused();
    await this.bothTrain();
    await this.rollingRestart();
    await this.databaseRestart();
    await this.rotation();
    // As everybody that holds a connection for so long.
    await this.watch.client.connection.close();
    this.watch.client = await this.stage.site.client();
    await this.kill();
    this.stage.site.creepFrom(null);
    say('runs go on at full speed');
    await this.bothEndAlike();
    await this.turns();
    await this.nothingIsInClear();
    await this.afterRetention();
    await this.watch.client.connection.close();
  }

  /** What an operator makes knows none of our search attributes: lists are empty, and the first start prepares it. */
  private async freshNamespace(): Promise<void> {
    const { site, say } = this.stage;
    const absent = await site.command(['list']);
    assert.equal(absent.code, 2, absent.stderr);
    assert.match(absent.stderr, /has no namespace heads.*namespace init --create/s);
    this.watch.client = await site.client();
    await this.watch.client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(24 * 3600 * 1000),
    });
    // Each server learns of it within seconds.
    const listed = await this.watch.until('the namespace is known', minutes(1), async () => {
      const { code, stdout, stderr } = await site.command(['list']);
      if (code === 0) return stdout;
      assert.match(stderr, /no namespace/);
      return null;
    });
    assert.match(listed, /There is no run yet/);
    const before = Date.now();
    await this.watch.start('anna');
    say(
      `ok  first start in a fresh namespace: ${((Date.now() - before) / 1000).toFixed(1)} s, nothing prepared by hand`,
    );
  }

  private async strangersAreRefused(): Promise<void> {
    const { site, say } = this.stage;
    const stranger = await site.command(['list'], site.environmentOf('stranger'));
    assert.equal(stranger.code, 2);
    assert.match(stranger.stderr, /refuses our certificate.*TEMPORAL_TLS_CLIENT_CERT_PATH/s);
    const misnamed = await site.command(['list'], { TEMPORAL_TLS_SERVER_NAME: 'other.cluster.test' });
    assert.equal(misnamed.code, 2);
    assert.match(misnamed.stderr, /certificate is not for other\.cluster\.test.*TEMPORAL_TLS_SERVER_NAME/s);
    say('ok  a stranger’s certificate and a wrong server name are refused, and told apart');
  }

  private async bothTrain(): Promise<void> {
    const { site, say } = this.stage;
    await site.startWorkers();
    await this.watch.until('the first run trains', minutes(5), async () => this.watch.training('anna'));
    // The data set is there by now: the second run finds it.
    await this.watch.start('bert');
    await this.watch.until('the second run trains', minutes(5), async () => this.watch.training('bert'));
    for (const name of gpuWorkers) {
      const steps = (): number => site.journals.get(name)!.steps.length;
      await this.watch.until(`${name} trains`, minutes(3), async () => (steps() > 0 ? true : null));
    }
    const devices = new Set<string | null>();
    for (const run of runs) devices.add((await this.watch.training(run))!.worker);
    assert.equal(devices.size, 2, 'each run has a GPU worker');
    for (const queue of [taskQueues().data, taskQueues().gpu]) {
      const { pollers } = await this.watch.client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: queue },
        taskQueueType: 2,
      });
      assert.equal(pollers?.length, 2, `${queue} has two workers`);
    }
    say('ok  two data and two GPU workers, each with a certificate of its own, train two runs');
  }

  private async rollingRestart(): Promise<void> {
    const { certificates, cluster, say } = this.stage;
    // Trust comes first: what a server trusts as a client it reads when it starts.
    certificates.trustNext();
    for (const service of [...services].reverse()) {
      const before = Date.now();
      await cluster.restart(service);
      await this.watch.allGoOn(`after the restart of ${service}`);
      say(
        `ok  ${service} restarted during training, heartbeats again after ${((Date.now() - before) / 1000).toFixed(1)} s`,
      );
    }
    await this.watch.noAttemptWasLost();
  }

  private async databaseRestart(): Promise<void> {
    const { postgres, say } = this.stage;
    const before = Date.now();
    await postgres.restart();
    await this.watch.allGoOn('after the restart of PostgreSQL');
    await this.watch.noAttemptWasLost();
    say(
      `ok  PostgreSQL restarted, heartbeats again after ${((Date.now() - before) / 1000).toFixed(1)} s; no attempt was lost`,
    );
  }

  private async rotation(): Promise<void> {
    const { certificates, site, say } = this.stage;
    const renewals = (name: WorkerName): number =>
      readFileSync(site.logOf(name), 'utf8').split('connection to Temporal was made anew').length - 1;
    const allRenewed = async (): Promise<void> => {
      const before = workers.map(renewals);
      return void (await this.watch.until('all workers have renewed their connections', minutes(2), async () =>
        workers.every((name, i) => renewals(name) > before[i]!) ? true : null,
      ));
    };
    const issued = allRenewed();
    certificates.issueNext();
    await issued;
    await this.watch.allGoOn('with new certificates');
    const distrusted = allRenewed();
    certificates.distrustOld();
    await Promise.all([distrusted, sleep(2000 * refreshSeconds)]);
    await this.watch.allGoOn('with the new CA alone');
    await this.watch.workflowsAreTold('with the new CA alone');
    const expelled = await site.command(['list'], site.environmentOf('expelled'));
    assert.equal(expelled.code, 2, expelled.stdout);
    assert.match(expelled.stderr, /refuses our certificate/);
    const { code, stderr } = await site.command(['list']);
    assert.equal(code, 0, stderr);
    await this.watch.noAttemptWasLost();
    say(
      'ok  CA and all certificates replaced without restarting a worker; the old ones are refused; no attempt was lost',
    );
  }

  private async kill(): Promise<void> {
    const { site, say } = this.stage;
    const worker = site.workers.get('gpu-a')!;
    const before = Date.now();
    const steps = site.journals.get('gpu-a')!.steps.length;
    const { pid } = worker;
    assert.ok(pid !== null && signal(pid, 'SIGKILL'));
    await this.watch.until('the killed worker trains again', minutes(4), async () => {
      const again = site.journals.get('gpu-a')!.steps.slice(steps);
      return again.some((step) => step.at > before + 5000) ? true : null;
    });
    const attempts = await Promise.all(runs.map(async (run) => (await this.watch.training(run))?.attempt ?? 1));
    assert.equal(Math.max(...attempts), 2, 'the run of the killed worker has a second attempt');
    assert.equal(Math.min(...attempts), 1, 'the other run has no part in it');
    say(
      `ok  a GPU worker killed: its run trained again after ${((Date.now() - before) / 1000).toFixed(0)} s, the other was not touched`,
    );
  }

  /** Two runs of one configuration, disturbed at different steps, come to the same weights. */
  private async bothEndAlike(): Promise<void> {
    const { site, say } = this.stage;
    const results = await Promise.all(
      runs.map((run) => this.watch.client.workflow.getHandle(run).result() as Promise<FullTrainingResult>),
    );
    const weights = results.map(({ stages }) =>
      stages.map(({ step, checkpoint }) => `${step} ${checkpoint.modelSha256}`),
    );
    assert.deepEqual(weights[1], weights[0]);
    assert.deepEqual(results[1]!.evaluation?.methods, results[0]!.evaluation?.methods);
    const { differing } = framesByStep(gpuWorkers.flatMap((name) => site.journals.get(name)!.steps));
    assert.deepEqual(differing, [], 'each step saw the same frames in both runs and all attempts');
    say('ok  both runs ended with the same weights and errors, bit for bit');
  }

  /** Two teams whose shards wait for one worker: who came later, and has as many, does not wait for the other's end. */
  private async turns(): Promise<void> {
    const { site, say } = this.stage;
    for (const name of gpuWorkers) await site.stopWorker(name);
    const teams = ['carl', 'dora'] as const;
    for (const team of teams) {
      await this.watch.start(team, [
        'predictions',
        '--from',
        'anna/coarse-finetuning',
        '--set',
        `scheduling.team=${team}`,
        '--set',
        'predictions.framesPerShard=3',
      ]);
      await this.watch.until(`shards of ${team} wait`, minutes(2), async () => {
        const { raw } = await this.watch.client.workflow.getHandle(`${team}/predictions`).describe();
        return (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'predictShard')
          .length >= 8
          ? true
          : null;
      });
    }
    await site.startWorker('gpu-a');
    const begun: { team: string; at: number }[] = [];
    for (const team of teams) {
      const handle = this.watch.client.workflow.getHandle(`${team}/predictions`);
      await handle.result();
      const { events } = await handle.fetchHistory();
      const shards = new Set<string>();
      for (const { eventId, eventTime, activityTaskScheduledEventAttributes: scheduled, ...event } of events ?? []) {
        if (scheduled?.activityType?.name === 'predictShard') shards.add(String(eventId));
        const started = event.activityTaskStartedEventAttributes;
        if (!shards.has(String(started?.scheduledEventId))) continue;
        begun.push({ team, at: Number(eventTime?.seconds ?? 0) + Number(eventTime?.nanos ?? 0) / 1e9 });
      }
    }
    const order = begun.sort((a, b) => a.at - b.at).map(({ team }) => team);
    const early = order.slice(0, 8).filter((team) => team === 'dora').length;
    // In the order of their coming it would be none.
    assert.ok(early >= 2, `the first shards were of ${order.join(', ')}`);
    say(`ok  two teams take turns: of the first 8 shards ${early} were of the team that came later`);
  }

  private async nothingIsInClear(): Promise<void> {
    const { site, say } = this.stage;
    const blind = await site.client(false);
    try {
      const { history } = await blind.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: 'anna' },
      });
      const input = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
      assert.equal(Buffer.from(input?.metadata?.['encoding'] ?? []).toString(), 'binary/encrypted');
      assert.ok(!JSON.stringify(history).includes('pooledLevels'));
    } finally {
      await blind.connection.close();
    }
    say('ok  what Temporal stores of the runs is encrypted');
  }

  /** Temporal has forgotten the run: the object store has not. */
  private async afterRetention(): Promise<void> {
    const { site, say } = this.stage;
    const listing = (query: string) => this.watch.client.workflowService.listWorkflowExecutions({ namespace, query });
    const { executions } = await listing(`TempehRun = 'bert'`);
    for (const { execution } of executions ?? []) {
      await this.watch.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: execution! });
    }
    await this.watch.until('Temporal has forgotten it', minutes(2), async () => {
      const { code } = await site.command(['status', 'bert']);
      return code === 0 ? null : true;
    });
    const resumed = await site.command(['resume', 'bert', '--follow', '--config', site.configurationFile()]);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /Temporal has forgotten bert/);
    say('ok  a run that Temporal has forgotten was resumed from the object store, and found all done');
  }
}
