import type { RunConfiguration } from '../configs/schema/run.js';
import { placeOf } from '../datasets/reader/inPlace.js';
import type { ObjectStore } from '../storage/types.js';
import { keys } from '../storage/keys.js';
import { StoredObjectInvalid } from '../storage/storedJson.js';
import type { TrainingHeads } from './heads/trainingHeads.js';
import { asEvaluation, meansByFrame } from './measure/asEvaluation.js';
import { measureShard } from './measure/measure.js';
import { packState, unpackState, type MeasurementState } from './measure/measurementState.js';
import { MeasurementSums } from './measure/measurementSums.js';
import { openRun, type MeasuredRun } from './measure/run.js';
import { evaluationToken, shardsOf, storedShards, type EvaluationShard } from './shards.js';
import { TestSet } from './testSet.js';
import type { Evaluation, FrameEvaluation } from './types.js';

/** Which run is evaluated, with what there is already, and who is informed meanwhile. */
export interface EvaluateRunOptions {
  readonly store: ObjectStore;
  readonly configuration: RunConfiguration;
  readonly run: string;
  /** Names the shards that may be measured already, as `evaluationToken` says; asked for if absent. */
  readonly token?: string;
  /** Called after each frame. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
  /** What is known of the training heads, where it is known already; told of those that were made. */
  readonly heads?: TrainingHeads | undefined;
  readonly onHeads?: (heads: TrainingHeads) => void;
}

/**
 * Measures a run's predictions of the test set (`keys.testPredictions`) against its scans and registrations, beside
 * baselines (`methodNames`): shard by shard of `predictions.framesPerShard` frames, as far as those are not there. Writes
 * `evaluation.json` of the run; doing it again replaces it.
 *
 * @throws Error when the test set has no prediction, or no frame that every stage predicted.
 */
export async function evaluateRun(options: EvaluateRunOptions): Promise<Evaluation> {
  const { store, configuration, run, onProgress, signal } = options;
  const token = options.token ?? (await evaluationToken(store, run, configuration));
  const opened = new OpenedRun(options);
  const there = await storedShards(store, run, token);
  const sums = new MeasurementSums({ description: run, methods: [], frames: [], regions: null, load: nothing });
  const perFrame: FrameEvaluation[] = [];
  let total = 0;
  for (const shard of await opened.shards()) {
    signal?.throwIfAborted();
    total = shard.of;
    const onFrame = (done: number): void => onProgress?.({ done: shard.from + done, total });
    const key = keys.evaluationShard(run, token, shard.index);
    const stored = there.has(key) ? await readShard(store, key) : null;
    const state = stored ?? (await measured(await opened.run(), shard, { onFrame, signal }));
    if (stored === null) await writeShard(store, key, state);
    else onFrame(shard.to - shard.from);
    // Of so many frames as there may be only the means are kept.
    for (const row of meansByFrame(state.perFrame)) perFrame.push(row);
    sums.merge({ ...state, perFrame: [] });
  }
  const measurement = sums.result();
  if (measurement.frames === 0) {
    const why = measurement.leftOut[0]?.reason ?? 'there is none';
    throw new Error(`None of the ${total} test frames can be evaluated; the first: ${why}.`);
  }
  const evaluation = asEvaluation(measurement, perFrame);
  const json = Buffer.from(JSON.stringify(evaluation, null, 1));
  await store.put(keys.evaluation(run), json, { contentType: 'application/json', ...(signal ? { signal } : {}) });
  return evaluation;
}

/**
 * Measures one shard, and stores what was measured; nothing is done where that is there.
 *
 * @throws as `evaluateRun` does.
 */
export async function evaluateShard(
  options: EvaluateRunOptions & { readonly token: string },
  shard: Pick<EvaluationShard, 'index' | 'from' | 'to'>,
): Promise<void> {
  const { store, run, token, onProgress, signal } = options;
  const key = keys.evaluationShard(run, token, shard.index);
  if ((await store.head(key)) !== null) return;
  const total = shard.to - shard.from;
  const onFrame = (done: number): void => onProgress?.({ done, total });
  await writeShard(store, key, await measured(await new OpenedRun(options).run(), shard, { onFrame, signal }));
}

/** Opened when it is needed: where all shards are there, no frame is. */
class OpenedRun {
  private testSet: Promise<TestSet> | null = null;
  private opened: Promise<MeasuredRun> | null = null;

  constructor(private readonly options: EvaluateRunOptions) {}

  async shards(): Promise<readonly EvaluationShard[]> {
    return shardsOf((await this.set()).index.counts.test, this.options.configuration);
  }

  run(): Promise<MeasuredRun> {
    this.opened ??= this.open();
    return this.opened;
  }

  private set(): Promise<TestSet> {
    const { store, run, configuration } = this.options;
    const { dataset } = configuration;
    this.testSet ??= TestSet.open(store, run, dataset.name, placeOf(dataset));
    return this.testSet;
  }

  private async open(): Promise<MeasuredRun> {
    const { store, run, configuration, signal, heads, onHeads } = this.options;
    const { gridOrigin: volumeCentre } = configuration.model.coarse;
    const testSet = await this.set();
    const opened = await openRun({
      store,
      run,
      testSet,
      volumeCentre,
      ...(signal && { signal }),
      ...(heads && { heads }),
    });
    onHeads?.(opened.heads);
    return opened;
  }
}

async function measured(
  run: MeasuredRun,
  { from, to }: Pick<EvaluationShard, 'from' | 'to'>,
  { onFrame, signal }: { onFrame: (done: number) => void; signal: AbortSignal | undefined },
): Promise<MeasurementState> {
  return measureShard(await run.part(from, to), { onFrame, ...(signal && { signal }) });
}

/** null for one that cannot be read: it is measured again. */
async function readShard(store: ObjectStore, key: string): Promise<MeasurementState | null> {
  try {
    return await unpackState((await store.get(key)).body, key);
  } catch (cause) {
    if (cause instanceof StoredObjectInvalid) return null;
    throw cause;
  }
}

async function writeShard(store: ObjectStore, key: string, state: MeasurementState): Promise<void> {
  await store.put(key, await packState(state), { contentType: 'application/gzip' });
}

const nothing = (): Promise<never> => Promise.reject(new Error('what is merged has no frames'));
