import type { TrainingStage } from '../configs/schema/training.js';
import { parseDatasetIndex } from '../datasets/indexFile.js';
import type { DatasetIndex } from '../datasets/types.js';
import { keys } from '../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../storage/types.js';
import type { Manifest } from '../checkpoints/manifest.js';
import { userFault } from './failures.js';

/** The index of a packed data set; null if it is not there. */
export async function findDatasetIndex(store: ObjectStore, name: string): Promise<DatasetIndex | null> {
  const key = keys.datasetIndex(name);
  const body = await readBody(store, key);
  return body === null ? null : parseDatasetIndex(body, key);
}

/** @throws DataUnusable if it is not there. */
export async function readDatasetIndex(store: ObjectStore, name: string): Promise<DatasetIndex> {
  const index = await findDatasetIndex(store, name);
  if (index !== null) return index;
  const message = `The data set ${name} is not in ${store.description}. Pack it first: tempeh-flow start dataset.`;
  throw userFault('DataUnusable', message);
}

/**
 * Hex SHA-256 of a finished stage's model.
 *
 * @throws ConfigurationInvalid if the stage has not been finished.
 */
export async function finishedModel(store: ObjectStore, run: string, stage: TrainingStage): Promise<string> {
  const key = keys.manifest(run, stage === 'refinement' ? 'refinement' : 'coarse');
  const manifest = (await readJson(store, key)) as Pick<Manifest, 'finished'> | null;
  const finished = manifest?.finished[stage];
  if (finished !== undefined) return finished.modelSha256;
  const message = `${stage} of ${run} is not finished (${key} in ${store.description}). Train it first: tempeh-flow start ${stage}.`;
  throw userFault('ConfigurationInvalid', message);
}

/** null if there is no such object. */
export async function readJson(store: ObjectStore, key: string): Promise<unknown> {
  const body = await readBody(store, key);
  return body === null ? null : (JSON.parse(Buffer.from(body).toString()) as unknown);
}

async function readBody(store: ObjectStore, key: string): Promise<Uint8Array | null> {
  try {
    return (await store.get(key)).body;
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw cause;
  }
}
