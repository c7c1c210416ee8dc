import { loadStore } from '../../storage/loadStore.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { FinalModelDamaged, StageNotFinished } from '../../checkpoints/errors.js';
import { checkpointStageOf } from '../../checkpoints/manifest/manifestSchema.js';
import type { StageResult, TrainerEvent, TrainingJob } from './protocol.js';
import { trainStage, type TrainStageTools } from './trainStage.js';

/**
 * As `trainStage`. Where the weights that the stage starts from turn out to be damaged, the last steps of the stage that
 * made them are trained again first: from the checkpoint before, to the same numbers.
 */
export async function trainMending(
  job: TrainingJob,
  report: (event: TrainerEvent) => void,
  signal: AbortSignal,
  tools: TrainStageTools = {},
): Promise<StageResult> {
  try {
    return await trainStage(job, report, signal, tools);
  } catch (cause) {
    const damaged = await damagedStage(cause, job, tools);
    if (damaged === null) throw cause;
    const message = `The weights that ${damaged} ended with are damaged: its last steps are trained again`;
    report({ kind: 'warning', message });
    // What is known of the stage itself says nothing of the one before.
    await trainMending({ ...job, stage: damaged, knownStep: null }, report, signal, tools);
    return trainStage(job, report, signal, tools);
  }
}

/** The stage before, if it had finished, and lost its end to damage. */
async function damagedStage(cause: unknown, job: TrainingJob, tools: TrainStageTools): Promise<TrainingStage | null> {
  if (cause instanceof FinalModelDamaged) return cause.stage;
  if (!(cause instanceof StageNotFinished)) return null;
  const { run, configuration } = job;
  const store = tools.store ?? (await loadStore(configuration.storage));
  const manifest = await readManifest(store, run, checkpointStageOf(cause.stage));
  const { iterations } = configuration.training[cause.stage];
  return manifest?.quarantined.some(({ step }) => step >= iterations) ? cause.stage : null;
}
