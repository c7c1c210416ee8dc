import { z } from 'zod';
import { keys } from '../../storage/keys.js';
import { readStored } from '../../storage/storedJson.js';
import type { ObjectStore, ReadableStore } from '../../storage/types.js';
import { evaluationSchema } from '../evaluationSchema.js';
import type { Evaluation } from '../types.js';

/** `runs/SERIES/series.json`: which runs a series has, the one that the others are compared with first. */
export interface StoredSeries {
  readonly version: 1;
  readonly run: string;
  /** `seeds`: repeats with other seeds; `ablation`: each run lacks something. */
  readonly kind: 'seeds' | 'ablation';
  readonly members: readonly { readonly run: string; readonly label: string }[];
}

/** A run of a series with what was measured of it; null: nothing yet. */
export interface ComparedRun<Measured> {
  readonly run: string;
  readonly label: string;
  readonly evaluation: Measured | null;
}

const seriesSchema: z.ZodType<StoredSeries> = z.object({
  version: z.literal(1),
  run: z.string(),
  kind: z.enum(['seeds', 'ablation']),
  members: z.array(z.object({ run: z.string(), label: z.string() })).min(1),
});

/** null where the store has no series of that name. @throws StoredObjectInvalid */
export function readSeries(store: ReadableStore, run: string): Promise<StoredSeries | null> {
  return readStored(store, keys.series(run), { schema: seriesSchema });
}

/** Puts `series.json` of a series into the store; what was there is replaced. */
export async function writeSeries(store: ObjectStore, series: StoredSeries): Promise<void> {
  const json = Buffer.from(JSON.stringify(series, null, 1));
  await store.put(keys.series(series.run), json, { contentType: 'application/json' });
}

/** The runs of a series with their stored evaluations. @throws StoredObjectInvalid */
export function readEvaluations(
  store: ReadableStore,
  { members }: Pick<StoredSeries, 'members'>,
): Promise<ComparedRun<Evaluation>[]> {
  return Promise.all(
    members.map(async ({ run, label }) => {
      const todo = `Have it made afresh: tempeh-flow start evaluation --run ${run}`;
      const evaluation = await readStored(store, keys.evaluation(run), { schema: evaluationSchema, todo });
      return { run, label, evaluation };
    }),
  );
}
