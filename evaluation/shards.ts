import { createHash } from 'node:crypto';
import type { RunConfiguration } from '../configs/schema/run.js';
import { DatasetMissing } from '../datasets/reader/errors.js';
import { keys } from '../storage/keys.js';
import type { ObjectStore } from '../storage/types.js';
import { measurementVersion } from './measure/measurementState.js';

/** Test frames by their places where sequences follow each other. */
export interface EvaluationShard {
  readonly index: number;
  readonly from: number;
  /** Excluded. */
  readonly to: number;
  /** Frames of all shards. */
  readonly of: number;
}

type Configured = Pick<RunConfiguration, 'dataset' | 'predictions' | 'model'>;

/** All shards of a test set of so many frames. */
export function shardsOf(frames: number, { predictions }: Configured): readonly EvaluationShard[] {
  const size = predictions.framesPerShard;
  return Array.from({ length: Math.ceil(frames / size) }, (_, index) => {
    return { index, from: index * size, to: Math.min((index + 1) * size, frames), of: frames };
  });
}

/**
 * Names what is to be measured, and how: another set of predictions, another data set, other shards, another way of measuring
 * have another name. Asks for the list of the predictions once.
 *
 * @param onListed told every thousand objects: with many frames it takes a while.
 * @throws DatasetMissing
 */
export async function evaluationToken(
  store: ObjectStore,
  run: string,
  { dataset, predictions, model }: Configured,
  onListed: (objects: number) => void = () => {},
): Promise<string> {
  const index = await store.head(keys.datasetIndex(dataset.name));
  if (index === null) {
    throw new DatasetMissing(`The data set ${dataset.name} is not in ${store.description}: tempeh-flow start dataset.`);
  }
  const digest = Buffer.alloc(32);
  let listed = 0;
  for (const stage of ['coarse', 'refinement'] as const) {
    for await (const { key, etag } of store.list(`${keys.testPredictions(run, stage)}/`)) {
      // In whatever order they are listed.
      const own = sha256([key, etag]);
      for (let i = 0; i < digest.length; i++) digest[i]! ^= own[i]!;
      if (++listed % 1000 === 0) onListed(listed);
    }
  }
  const size = predictions.framesPerShard;
  const { gridOrigin } = model.coarse;
  const named = [measurementVersion, size, dataset.name, index.etag, gridOrigin, digest.toString('hex')];
  return sha256(named).toString('hex', 0, 8);
}

/** Keys of shards that were measured. */
export async function storedShards(store: ObjectStore, run: string, token: string): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  for await (const { key } of store.list(`${keys.evaluationShards(run)}${token}/`)) there.add(key);
  return there;
}

/** Removes what was measured of other predictions, or in shards of another size. */
export async function removeOtherShards(store: ObjectStore, run: string, token: string): Promise<void> {
  const others: string[] = [];
  const own = `${keys.evaluationShards(run)}${token}/`;
  for await (const { key } of store.list(keys.evaluationShards(run))) if (!key.startsWith(own)) others.push(key);
  await store.delete(others);
}

function sha256(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value)).digest();
}
