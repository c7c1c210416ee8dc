import { randomUUID } from 'node:crypto';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { TrainingStage } from '../../configs/schema/training.js';
import { checkConditionalPuts } from '../../storage/wrappers/conditionalPuts.js';
import { keys } from '../../storage/keys.js';
import { PreconditionFailed, type ObjectStore } from '../../storage/types.js';
import { ClaimedManifest } from '../../checkpoints/manifest/claimedManifest.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { checkpointStageOf, type Manifest } from '../../checkpoints/manifest/manifestSchema.js';
import { encodeTrainingState, type TrainingState } from '../../checkpoints/reading/trainingState.js';
import type { CheckpointReference } from '../../checkpoints/reference.js';
import { ImportRefused } from './errors.js';

/** What comes from elsewhere; the rest of a training state is that of a beginning. */
export type ImportedState = Pick<TrainingState, 'step' | 'stage' | 'model' | 'optimizer'>;

/**
 * Makes a state from elsewhere a run's first checkpoint of its stage. It counts once the manifest names it; the
 * configuration is stored with the run if it has none.
 *
 * @param finished stages that are done with it.
 * @throws ImportRefused when there are checkpoints of that stage.
 * @throws LeaseLost when a trainer begins in the meantime.
 */
export async function writeFirstCheckpoint({
  store,
  run,
  configuration,
  state,
  finished,
}: {
  readonly store: ObjectStore;
  readonly run: string;
  readonly configuration: RunConfiguration;
  readonly state: ImportedState;
  readonly finished: readonly TrainingStage[];
}): Promise<CheckpointReference> {
  const stage = checkpointStageOf(state.stage);
  refuseOthers(await readManifest(store, run, stage));
  const attempt = `import-${randomUUID()}`;
  await checkConditionalPuts(store, `${keys.run(run)}/conditional-put-check`);
  const claimed = await ClaimedManifest.claim(store, run, stage, attempt);
  refuseOthers(claimed.manifest);
  const fresh = { seed: configuration.seed, skippedBatches: 0, loss: null, validationPending: false };
  const encoded = encodeTrainingState({ ...state, ...fresh }, configuration, finished);
  const key = keys.checkpoint(run, stage, state.step, attempt);
  for (const [name, { body, sha256 }] of Object.entries(encoded)) await store.put(`${key}/${name}`, body, { sha256 });
  await storeConfiguration(store, run, configuration);

  const { step } = state;
  const at = new Date().toISOString();
  const modelSha256 = encoded['model.safetensors'].sha256;
  const parts = Object.fromEntries(
    Object.entries(encoded).map(([name, { body, sha256 }]) => [name, { size: body.length, sha256 }]),
  );
  await claimed.update((manifest) => ({
    ...manifest,
    checkpoints: [{ step, stage: state.stage, attempt, key, createdAt: at, parts, milestone: true }],
    finished: Object.fromEntries(finished.map((name) => [name, { step, key, modelSha256, loss: null, at }])),
  }));
  return { step, key, modelSha256 };
}

function refuseOthers(manifest: Manifest | null): void {
  const last = manifest?.checkpoints.at(-1);
  if (!manifest || !last) return;
  throw new ImportRefused(
    `Run ${manifest.run} has a ${manifest.stage} checkpoint of step ${last.step} already. Import into a new run: --run NAME.`,
  );
}

async function storeConfiguration(store: ObjectStore, run: string, configuration: RunConfiguration): Promise<void> {
  const json = Buffer.from(JSON.stringify(configuration, null, 1));
  try {
    await store.put(keys.runConfiguration(run), json, { ifAbsent: true, contentType: 'application/json' });
  } catch (cause) {
    if (!(cause instanceof PreconditionFailed)) throw cause;
  }
}
