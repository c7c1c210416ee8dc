import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from './temporal.js';
import { RunError } from './connection/client.js';
import { pollersOf, type Poller } from './pollers.js';

/** A version of a deployment, and who polls for tasks as such. */
export interface DeployedVersion {
  /** null: workers that are no part of a versioned deployment. */
  readonly buildId: string | null;
  readonly state: 'current' | 'ramping' | 'inactive' | 'draining' | 'drained' | 'unknown';
  readonly createdAt: Date | null;
  /** Identities of the workers that asked for tasks in the last minutes. */
  readonly dataWorkers: readonly string[];
  readonly gpuWorkers: readonly string[];
}

/** A worker deployment, with its versions. */
export interface DeploymentDescription {
  readonly name: string;
  /** The build whose workers get the tasks; null: unversioned workers. */
  readonly current: string | null;
  readonly versions: readonly DeployedVersion[];
}

/** Temporal's `WorkerDeploymentVersionStatus` by its numbers. */
const states = ['unknown', 'inactive', 'current', 'ramping', 'draining', 'drained'] as const;

/** A deployment as Temporal has it; one that no worker has ever been started with has no versions. @throws RunError */
export async function describeDeployment(client: Client, name: string): Promise<DeploymentDescription> {
  const { namespace } = client.options;
  const [found, { data, gpu }] = await Promise.all([
    known(client.workflowService.describeWorkerDeployment({ namespace, deploymentName: name })),
    pollersOf(client),
  ]);
  const info = found?.workerDeploymentInfo;
  const current = info?.routingConfig?.currentDeploymentVersion?.buildId || null;
  const ofBuild = (all: readonly Poller[], buildId: string | null): string[] =>
    all
      .filter((poller) => poller.buildId === buildId && (buildId === null || poller.deployment === name))
      .map(({ identity }) => identity);
  const versions = (info?.versionSummaries ?? []).map((summary): DeployedVersion => {
    const buildId = summary.deploymentVersion?.buildId ?? '';
    const created = summary.createTime;
    return {
      buildId,
      state: states[Number(summary.status ?? 0)] ?? 'unknown',
      createdAt: created ? new Date(Number(created.seconds ?? 0) * 1000) : null,
      dataWorkers: ofBuild(data, buildId),
      gpuWorkers: ofBuild(gpu, buildId),
    };
  });
  const unversioned: DeployedVersion = {
    buildId: null,
    state: current === null ? 'current' : 'inactive',
    createdAt: null,
    dataWorkers: ofBuild(data, null),
    gpuWorkers: ofBuild(gpu, null),
  };
  const hasUnversioned = unversioned.dataWorkers.length + unversioned.gpuWorkers.length > 0;
  return { name, current, versions: hasUnversioned ? [...versions, unversioned] : versions };
}

/**
 * Gives all tasks from now on to the workers of a build, those of runs that run included. What an old worker is at goes on
 * there until it ends or the worker is stopped.
 *
 * @param buildId null: to unversioned workers.
 * @param options.incomplete also where a kind of worker is missing, whose tasks then wait.
 * @returns the build that was current before.
 * @throws RunError `refused` where data or GPU workers of that build have not asked for tasks yet, and with Temporal's own
 * reasons.
 */
export async function promoteBuild(
  client: Client,
  name: string,
  buildId: string | null,
  { incomplete = false } = {},
): Promise<string | null> {
  if (!incomplete) await refuseIncomplete(client, name, buildId);
  const until = Date.now() + settlingSeconds * 1000;
  for (;;) {
    try {
      const { previousDeploymentVersion } = await client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: client.options.namespace,
        deploymentName: name,
        buildId: buildId ?? '',
        identity: client.options.identity,
      });
      return previousDeploymentVersion?.buildId || null;
    } catch (cause) {
      if (!isGrpcServiceError(cause)) throw cause;
      if (Number(cause.code) === grpcCodes.failedPrecondition && Date.now() < until) {
        await sleep(500);
        continue;
      }
      const message = `${buildId ?? 'unversioned'} of ${name} cannot be promoted: ${cause.details}.`;
      throw new RunError('refused', message, { cause });
    }
  }
}

/** Workers that have just asked for their first task are not known to their deployment yet. */
const settlingSeconds = 10;
const grpcCodes = { notFound: 5, failedPrecondition: 9 } as const;

/** Temporal itself lets a build have all tasks that has no workers on a queue which is idle just now. */
async function refuseIncomplete(client: Client, name: string, buildId: string | null): Promise<void> {
  const { versions } = await describeDeployment(client, name);
  const version = versions.find((candidate) => candidate.buildId === buildId);
  const missing = [
    ...(version?.dataWorkers.length ? [] : ['data']),
    ...(version?.gpuWorkers.length ? [] : ['GPU']),
  ].join(' and no ');
  if (missing === '') return;
  const options = buildId === null ? '' : ` --deployment ${name} --build-id ${buildId}`;
  const todo = `Start them (tempeh-flow worker data|gpu${options}), or say --incomplete`;
  const message = `${buildId ?? 'unversioned'} of ${name} has no ${missing} workers: runs would wait for them. ${todo}.`;
  throw new RunError('refused', message);
}

/** null where Temporal knows nothing by that name. */
async function known<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === grpcCodes.notFound) return null;
    throw error;
  }
}
