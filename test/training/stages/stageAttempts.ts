import type { TrainingStage } from '../../../configs/schema/training.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { keys } from '../../../storage/keys.js';
import { StageStopped } from '../../../training/errors.js';
import type { StageResult, TrainerEvent } from '../../../training/process/protocol.js';
import { trainStage } from '../../../training/process/trainStage.js';
import { readEvents } from '../../checkpoints/events/eventReader.js';
import { tinyConfiguration, tinyData, tinyJob } from './tinyStage.js';

interface Attempts {
  /** Of the store. */
  readonly folder: string;
  readonly training?: NonNullable<Parameters<typeof tinyConfiguration>[0]['training']>;
  readonly poisoned?: readonly number[];
}

/** One attempt at a stage; it is stopped after `stopAfter` further steps. */
export async function attempt(
  stage: TrainingStage,
  { folder, training, poisoned }: Attempts,
  stopAfter = Infinity,
): Promise<{ result: StageResult | null; stopped: StageStopped | null; events: TrainerEvent[] }> {
  const store = directoryStore(folder);
  const configuration = tinyConfiguration({
    storage: { kind: 'directory', path: folder },
    ...(training ? { training } : {}),
  });
  const stopping = new AbortController();
  const events: TrainerEvent[] = [];
  let steps = 0;
  const job = tinyJob(configuration, stage, `attempt-${Math.random().toString(36).slice(2)}`);
  try {
    const result = await trainStage(job, (event) => events.push(event), stopping.signal, {
      store,
      openData: async () => tinyData({ refinement: stage === 'refinement', ...(poisoned ? { poisoned } : {}) }),
      onStep: () => {
        if (++steps === stopAfter) stopping.abort('enough');
      },
    });
    return { result, stopped: null, events };
  } catch (cause) {
    if (!(cause instanceof StageStopped)) throw cause;
    return { result: null, stopped: cause, events };
  }
}

/** What a run's event files hold, in order. */
export async function scalars(folder: string, stage: 'coarse' | 'refinement'): Promise<string[]> {
  const store = directoryStore(folder);
  const found: string[] = [];
  for await (const { key } of store.list(`${keys.events('tiny', stage)}/`)) {
    for (const { tag, step, scalar } of readEvents((await store.get(key)).body)) {
      if (tag !== undefined) found.push(`${step} ${tag} ${scalar ?? 'picture'}`);
    }
  }
  return found;
}
export type Results = Readonly<Record<TrainingStage, StageResult>>;

/** All three stages, one after the other, without a stop. */
export async function trainUndisturbed(folder: string): Promise<Results> {
  const results: Partial<Record<TrainingStage, StageResult>> = {};
  for (const stage of ['coarse-pretraining', 'coarse-finetuning', 'refinement'] as const) {
    results[stage] = (await attempt(stage, { folder })).result!;
  }
  return results as Results;
}
