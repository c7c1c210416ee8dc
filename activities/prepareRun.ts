import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { configurationChanges, refuseFixedChanges } from '../configs/changes.js';
import { runNamePattern, runNameRule } from '../configs/runNames.js';
import { runConfigurationSchema } from '../configs/schema/run.js';
import { checkConditionalPuts } from '../storage/conditionalPuts.js';
import { keys } from '../storage/keys.js';
import { StoreUnsuitable, type ObjectStore } from '../storage/types.js';
import type { Manifest } from '../training/checkpoints/manifest.js';
import { userFault } from './failures.js';
import { readJson } from './runState.js';
import type { RunInput } from './types.js';

/**
 * Refuses what cannot work before anything is started: a bad name, a configuration that this version does not
 * understand, an object store without conditional puts, an edit of what a run that trains cannot change. Then stores the
 * configuration with its run.
 *
 * @throws ConfigurationInvalid
 */
export async function checkAndStoreRun(
  { run, configuration }: RunInput,
  openStore: (configuration: RunInput['configuration']['storage']) => ObjectStore,
): Promise<void> {
  if (!runNamePattern.test(run)) {
    throw userFault('ConfigurationInvalid', `The run's name is ${JSON.stringify(run)}; expected ${runNameRule}.`);
  }
  const checked = runConfigurationSchema.safeParse(configuration);
  if (!checked.success) {
    const problems = z.prettifyError(checked.error);
    const todo = 'Mend it, or use the workers of the version that it was written for';
    throw userFault('ConfigurationInvalid', `The data worker refuses the configuration. ${todo}:\n${problems}`);
  }
  const store = openStore(configuration.storage);
  await refuseUnsuitable(store, run);
  await refuseEdits(store, run, checked.data);
  const json = Buffer.from(JSON.stringify(checked.data, null, 1));
  await store.put(keys.runConfiguration(run), json, { contentType: 'application/json' });
}

/** A run that has begun to train keeps what its checkpoints depend on. @throws ConfigurationInvalid */
async function refuseEdits(store: ObjectStore, run: string, edited: RunInput['configuration']): Promise<void> {
  const before = runConfigurationSchema.safeParse(await readJson(store, keys.runConfiguration(run)));
  // None, or one of a version with other settings: nothing that it could be compared with.
  if (!before.success) return;
  const manifests = await Promise.all(
    ['coarse', 'refinement'].map((stage) => readJson(store, keys.manifest(run, stage))),
  );
  if (!manifests.some((manifest) => ((manifest as Manifest | null)?.checkpoints ?? []).length > 0)) return;
  try {
    refuseFixedChanges(run, configurationChanges(before.data, edited));
  } catch (cause) {
    throw userFault('ConfigurationInvalid', (cause as Error).message);
  }
}

/** Without them two attempts could both believe that they train a stage. @throws ConfigurationInvalid */
async function refuseUnsuitable(store: ObjectStore, run: string): Promise<void> {
  try {
    await checkConditionalPuts(store, `${keys.run(run)}/conditional-put-check-${randomUUID()}`);
  } catch (cause) {
    if (!(cause instanceof StoreUnsuitable)) throw cause;
    const todo = 'Choose a store that honours If-Match and If-None-Match';
    throw userFault('ConfigurationInvalid', `${store.description} cannot hold checkpoints. ${cause.message} ${todo}.`);
  }
}
