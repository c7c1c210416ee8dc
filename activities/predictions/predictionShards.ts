import { z } from 'zod';
import { finishedModel } from '../../checkpoints/reading/finalModel.js';
import { checkpointStageOf } from '../../checkpoints/manifest/manifestSchema.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import { findIndex } from '../../datasets/index/openIndex.js';
import type { PackedIndex } from '../../datasets/index/packedIndex.js';
import type { FrameId, Split } from '../../datasets/types.js';
import { frameLocaliserPath, frameMeshPath, keys } from '../../storage/keys.js';
import { mapLimited } from '../../storage/async/mapLimited.js';
import { readStored } from '../../storage/storedJson.js';
import type { ObjectStore } from '../../storage/types.js';
import { userFault } from '../failures.js';
import type { PredictionResult } from '../../inference/protocol.js';
import type { PredictionPlan, PredictionShard } from '../types.js';

type Purpose = PredictionShard['purpose'];

const frameIdSchema = z.object({ subject: z.string(), sequence: z.string(), frame: z.string() });

export interface ShardFrame {
  readonly split: Split;
  readonly id: FrameId;
}

/** What stands at `keys.predictionShard`: by which models a shard was predicted, and whether all of it. */
const markerSchema = z.object({
  /** Of its frames: with another `predictions.framesPerShard` the shard of the same number has others. */
  from: z.int().min(0).optional(),
  to: z.int().min(0).optional(),
  models: z.array(z.string()),
  done: z.boolean(),
  /** Frames that could not be predicted, and why. */
  failures: z.array(z.object({ id: frameIdSchema, reason: z.string() })).optional(),
});
type ShardMarker = z.infer<typeof markerSchema>;

const splitsOf: Readonly<Record<Purpose, readonly Split[]>> = {
  'refinement-input': ['train', 'validation'],
  test: ['test'],
};

const readsAtOnce = 16;

/** Shards that are still to do: all of them, where a model has been trained further since. */
export async function planShards(
  store: ObjectStore,
  run: string,
  { dataset, predictions }: RunConfiguration,
  purpose: Purpose,
): Promise<PredictionPlan> {
  const { counts } = await packedIndex(store, dataset.name);
  const models = await modelsFor(store, run, purpose);
  const frames = countOf(counts, purpose);
  const size = predictions.framesPerShard;
  const before = purpose === 'test' ? Math.ceil(countOf(counts, 'refinement-input') / size) : 0;
  const all = Array.from({ length: Math.ceil(frames / size) }, (_, i) => {
    return { index: before + i, purpose, from: i * size, to: Math.min((i + 1) * size, frames) };
  });
  // One listing instead of a question a shard: at first there are none.
  const there = new Set<string>();
  if (all.length > 0) for await (const { key } of store.list(keys.predictionShards(run))) there.add(key);
  const markers = await mapLimited(all, readsAtOnce, async (shard) =>
    there.has(keys.predictionShard(run, shard.index)) ? readMarker(store, run, shard) : null,
  );
  return { shards: all.filter((shard, index) => !isDone(markers[index], shard, models)), frames };
}

/**
 * The frames of a shard, ready to be predicted: predictions by earlier models are deleted, those of an interrupted
 * attempt by the same models stay.
 */
export async function openShard(
  store: ObjectStore,
  run: string,
  { dataset }: RunConfiguration,
  shard: PredictionShard,
): Promise<{ frames: ShardFrame[]; close: (failures?: PredictionResult['failures']) => Promise<void> }> {
  const index = await packedIndex(store, dataset.name);
  const models = await modelsFor(store, run, shard.purpose);
  const frames = await framesOf(index, shard);
  const key = keys.predictionShard(run, shard.index);
  const mark = async (done: boolean, failures: PredictionResult['failures'] = []) => {
    const failed = failures.length === 0 ? {} : { failures: [...failures] };
    const marker: ShardMarker = { from: shard.from, to: shard.to, models, done, ...failed };
    await store.put(key, Buffer.from(JSON.stringify(marker)), { contentType: 'application/json' });
  };
  const before = await readMarker(store, run, shard);
  if (before === null || !sameModels(before.models, models)) {
    await store.delete(frames.flatMap(({ id }) => predictionKeys(run, shard.purpose, id)));
    await mark(false);
  }
  return { frames, close: (failures) => mark(true, failures) };
}

function countOf(counts: PackedIndex['counts'], purpose: Purpose): number {
  return splitsOf[purpose].reduce((sum, split) => sum + counts[split], 0);
}

/** A shard's frames: its range runs on over the splits. */
async function framesOf(index: PackedIndex, { purpose, from, to }: PredictionShard): Promise<ShardFrame[]> {
  const frames: ShardFrame[] = [];
  let before = 0;
  for (const split of splitsOf[purpose]) {
    const found = await index.range(split, Math.max(0, from - before), Math.max(0, to - before));
    frames.push(...found.map(({ id }) => ({ split, id })));
    before += index.counts[split];
  }
  return frames;
}

async function modelsFor(store: ObjectStore, run: string, purpose: Purpose): Promise<string[]> {
  const stages = purpose === 'test' ? (['coarse-finetuning', 'refinement'] as const) : (['coarse-finetuning'] as const);
  return Promise.all(
    stages.map(async (stage) => {
      const model = await finishedModel(store, run, stage);
      if (model !== null) return model;
      const key = keys.manifest(run, checkpointStageOf(stage));
      const message = `${stage} of ${run} is not finished (${key} in ${store.description}). Train it first: tempeh-flow start ${stage}.`;
      throw userFault('ConfigurationInvalid', message);
    }),
  );
}

async function packedIndex(store: ObjectStore, name: string): Promise<PackedIndex> {
  const index = await findIndex(store, name);
  if (index !== null) return index;
  const message = `The data set ${name} is not in ${store.description}. Pack it first: tempeh-flow start dataset.`;
  throw userFault('DataUnusable', message);
}

function predictionKeys(run: string, purpose: Purpose, id: FrameId): string[] {
  const mesh = frameMeshPath(id);
  if (purpose === 'refinement-input') return [`${keys.predictions(run)}/${mesh}`];
  return [
    `${keys.testPredictions(run, 'coarse')}/${mesh}`,
    `${keys.testPredictions(run, 'coarse')}/${frameLocaliserPath(id)}`,
    `${keys.testPredictions(run, 'refinement')}/${mesh}`,
  ];
}

async function readMarker(store: ObjectStore, run: string, shard: PredictionShard): Promise<ShardMarker | null> {
  const todo = 'Delete it: its frames are predicted again';
  return readStored(store, keys.predictionShard(run, shard.index), { schema: markerSchema, todo });
}

function isDone(
  marker: ShardMarker | null | undefined,
  { from, to }: PredictionShard,
  models: readonly string[],
): boolean {
  if (marker?.done !== true || !sameModels(marker.models, models)) return false;
  // Markers of earlier versions name no frames.
  return (marker.from ?? from) === from && (marker.to ?? to) === to;
}

function sameModels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((model, i) => model === b[i]);
}
