import { defaultDeployment, workerVersion } from '../../workers/temporal/workerVersion.js';
import { describeDeployment, promoteBuild, type DeploymentDescription } from '../../client/workerVersions.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { exitCodes } from '../exitCodes.js';
import { columns, styled } from '../terminal/terminal.js';
import { print, printJson } from '../terminal/print.js';

interface DeploymentOptions extends ConnectionOptions {
  readonly name: string | undefined;
}

/** Shows the versions of the workers. @returns the exit code. */
export async function showDeployment({
  name,
  json,
  ...connection
}: DeploymentOptions & { readonly json: boolean }): Promise<number> {
  const deployment = await withTemporal(connection, ({ client }) => describeDeployment(client, nameOf(name)));
  if (json) printJson(deployment);
  else print(deploymentText(deployment));
  return exitCodes.ok;
}

/** Lets the workers of a build have the tasks. @returns the exit code. */
export async function promote({
  name: named,
  'build-id': asked,
  unversioned,
  incomplete,
  ...connection
}: DeploymentOptions & {
  readonly 'build-id': string | undefined;
  readonly unversioned: boolean | undefined;
  readonly incomplete: boolean;
}): Promise<number> {
  const name = nameOf(named);
  const buildId = unversioned ? null : workerVersion({ buildId: asked }).buildId;
  const before = await withTemporal(connection, ({ client }) => promoteBuild(client, name, buildId, { incomplete }));
  const called = (build: string | null): string => build ?? 'unversioned workers';
  print(
    before === buildId
      ? `${name}: ${called(buildId)} was current already.`
      : `${name}: ${called(buildId)} instead of ${called(before)}. What the old workers are at goes on until they are stopped; it saves then.`,
  );
  return exitCodes.ok;
}

function nameOf(name: string | undefined): string {
  return name ?? workerVersion().deployment ?? defaultDeployment;
}

/** A line a version. */
function deploymentText({ name, current, versions }: DeploymentDescription): string {
  if (versions.length === 0)
    return `No worker has asked for tasks as ${name} yet: tempeh-flow worker data --deployment ${name}`;
  const header = ['build', 'state', 'since', 'data workers', 'GPU workers'].map((cell) => styled('dim', cell));
  const rows = versions.map(({ buildId, state, createdAt, dataWorkers, gpuWorkers }) => [
    buildId ?? 'unversioned',
    state,
    createdAt === null ? '' : createdAt.toISOString().slice(0, 16).replace('T', ' '),
    String(dataWorkers.length),
    String(gpuWorkers.length),
  ]);
  return `${name}: tasks go to ${current ?? 'unversioned workers'}\n\n${columns([header, ...rows], [3, 4])}`;
}
