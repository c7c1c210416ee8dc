import { z } from 'zod';
import { refuseEdits } from '../../configs/changes/changes.js';
import { ConfigurationError } from '../../configs/configurationError.js';
import { runNamePattern, runNameRule } from '../../configs/runNames.js';
import { runConfigurationSchema, type RunConfiguration } from '../../configs/schema/run.js';
import { checkConditionalPuts } from '../../storage/wrappers/conditionalPuts.js';
import { keys } from '../../storage/keys.js';
import { readStored, StoredObjectInvalid } from '../../storage/storedJson.js';
import { StoreUnsuitable, type ObjectStore } from '../../storage/types.js';
import { readTrainedStages } from '../../checkpoints/trainedStages.js';
import { userFault } from '../failures.js';
import { storeConfiguration } from './storeConfiguration.js';
import type { PrepareRunInput, RunInput, StageExtension } from '../types.js';
import { refuseMissing } from './runFiles.js';

/**
 * Refuses what cannot work before anything is started: a bad name, a configuration that this version does not
 * understand, an object store without conditional puts, an edit of what a run that trains cannot change, files that were
 * not uploaded with it. Then stores the configuration with its run.
 *
 * @throws ConfigurationInvalid, DataUnusable
 */
export async function checkAndStoreRun(
  { run, configuration, steps }: PrepareRunInput,
  openStore: (configuration: RunInput['configuration']['storage']) => ObjectStore,
): Promise<void> {
  if (!runNamePattern.test(run)) {
    throw userFault('ConfigurationInvalid', `The run's name is ${JSON.stringify(run)}; expected ${runNameRule}.`);
  }
  const checked = runConfigurationSchema.safeParse(configuration);
  if (!checked.success) {
    const problems = z.prettifyError(checked.error);
    const todo = 'Correct it, or use the workers of the version that it was written for';
    throw userFault('ConfigurationInvalid', `The data worker refuses the configuration. ${todo}:\n${problems}`);
  }
  const store = openStore(configuration.storage);
  await refuseUnsuitable(store, run);
  await refuseMissing(store, { run, configuration: checked.data, ...(steps && { steps }) });
  await replaceConfiguration(store, run, checked.data);
}

/**
 * As `checkAndStoreRun`, for a run that is running: one of its stages is to be trained further than it was meant to be.
 *
 * @throws ConfigurationInvalid if it has been trained further already, or a later stage was built on its end.
 */
export async function checkAndStoreExtension(
  { run, configuration, stage, iterations }: StageExtension & RunInput,
  openStore: (configuration: RunInput['configuration']['storage']) => ObjectStore,
): Promise<void> {
  const longer = { ...configuration.training[stage], iterations };
  const edited = { ...configuration, training: { ...configuration.training, [stage]: longer } };
  const checked = runConfigurationSchema.safeParse(edited);
  if (!checked.success) throw userFault('ConfigurationInvalid', z.prettifyError(checked.error));
  await replaceConfiguration(openStore(configuration.storage), run, checked.data);
}

/**
 * A run that has begun to train keeps what its checkpoints depend on.
 *
 * @throws ConfigurationInvalid
 * @throws StoredObjectInvalid where it has begun to train, and what it trained with cannot be read.
 */
async function replaceConfiguration(store: ObjectStore, run: string, edited: RunConfiguration): Promise<void> {
  const trained = await readTrainedStages(store, run);
  const before = await storedConfiguration(store, run, Object.keys(trained).length > 0);
  if (before !== null) {
    try {
      refuseEdits(run, before, edited, trained);
    } catch (cause) {
      throw cause instanceof ConfigurationError ? userFault('ConfigurationInvalid', cause.message) : cause;
    }
  }
  await storeConfiguration(store, run, before, edited);
}

/** A run's configuration, as its store has it. @throws ConfigurationInvalid, StoredObjectInvalid */
export async function runConfigurationOf(store: ObjectStore, run: string): Promise<RunConfiguration> {
  const found = await storedConfiguration(store, run, true);
  if (found !== null) return found;
  const what = `${keys.runConfiguration(run)} is not in ${store.description}`;
  throw userFault('ConfigurationInvalid', `${what}. tempeh-flow resume ${run} stores it again.`);
}

/** null where there is none, or one of a version with other settings. @param isNeeded such a one is refused. */
async function storedConfiguration(
  store: ObjectStore,
  run: string,
  isNeeded: boolean,
): Promise<RunConfiguration | null> {
  const todo = `Put back the configuration that ${run} has trained with, as \`config show\` prints it; or start a new run`;
  try {
    return await readStored(store, keys.runConfiguration(run), { schema: runConfigurationSchema, todo });
  } catch (cause) {
    if (!(cause instanceof StoredObjectInvalid) || isNeeded) throw cause;
    return null;
  }
}

/** Without them two attempts could both believe that they train a stage. @throws ConfigurationInvalid */
async function refuseUnsuitable(store: ObjectStore, run: string): Promise<void> {
  try {
    await checkConditionalPuts(store, `${keys.run(run)}/conditional-put-check`);
  } catch (cause) {
    if (!(cause instanceof StoreUnsuitable)) throw cause;
    throw userFault('ConfigurationInvalid', `${store.description} cannot hold checkpoints. ${cause.message}`);
  }
}
