import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerDeploymentOptions } from '@temporalio/worker';
import { packageRoot } from '../../configs/packageRoot.js';

/** The name of workers that are no part of a versioned deployment, and that the commands ask for by default. */
export const defaultDeployment = 'tempeh-flow';

/** Which version of the code a worker is. */
export interface WorkerVersion {
  /** Temporal's worker deployment; null: unversioned, tasks go to whoever asks. */
  readonly deployment: string | null;
  readonly buildId: string;
}

/**
 * As Temporal's worker controller for Kubernetes has it: TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID, where
 * nothing else is asked for.
 *
 * @throws Error for names that Temporal would not take.
 */
export function workerVersion(
  asked: { readonly deployment?: string | undefined; readonly buildId?: string | undefined } = {},
  environment: NodeJS.ProcessEnv = process.env,
): WorkerVersion {
  const deployment = asked.deployment ?? (environment['TEMPORAL_DEPLOYMENT_NAME'] || null);
  const buildId = asked.buildId ?? (environment['TEMPORAL_WORKER_BUILD_ID'] || ownBuildId());
  if (deployment !== null && !/^[^.\s]+$/.test(deployment)) {
    throw new Error(`--deployment ${deployment}: expected a name without dots and spaces.`);
  }
  if (!/^\S+$/.test(buildId)) throw new Error(`--build-id ${JSON.stringify(buildId)}: expected one without spaces.`);
  return { deployment, buildId };
}

/** The package's version, and a hash of the compiled code: equal code, equal id, wherever it was built. */
function ownBuildId(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const build = fileURLToPath(new URL('../..', import.meta.url));
  const notOurs = /^(test|bench|workflow-bundles)[\\/]/;
  const files = readdirSync(build, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !notOurs.test(file))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(build, file)));
  return `${version}-${hash.digest('hex').slice(0, 12)}`;
}

/**
 * How a worker registers its version with Temporal. Workflows move to the current version with their next task
 * (`AUTO_UPGRADE`): a run of weeks must not need workers of weeks ago, and its trainer moves when the old one is stopped.
 * That a new version goes on with old histories is what `patched` and the replay tests are for.
 */
export function deploymentOptions({ deployment, buildId }: WorkerVersion): WorkerDeploymentOptions {
  const version = { deploymentName: deployment ?? defaultDeployment, buildId };
  return deployment === null
    ? { version, useWorkerVersioning: false }
    : { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}
