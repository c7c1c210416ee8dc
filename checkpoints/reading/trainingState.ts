import { hash } from 'node:crypto';
import { z } from 'zod';
import type { TrainingStage } from '../../configs/schema/training.js';
import { parseStored, sha256Schema } from '../../storage/storedJson.js';
import { stageNameSchema } from '../manifest/manifestSchema.js';
import { decodeSafetensors, encodeSafetensors, SafetensorsError, type NamedArrays } from '../safetensors.js';

/** Everything that training depends on, off the device: what a checkpoint holds. Nobody changes it once it is taken. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly stage: TrainingStage;
  readonly seed: number;
  /** Batches with a non-finite loss or gradient that were skipped so far in this stage. */
  readonly skippedBatches: number;
  /** The loss that was logged last. */
  readonly loss: number | null;
  /** The validation of this step is still to be done. */
  readonly validationPending: boolean;
  /** Parameters and BatchNorm's running statistics under their published names. */
  readonly model: NamedArrays;
  /** AdamW's moments and counts: `NAME.exp_avg`, `NAME.exp_avg_sq`, `NAME.step`. */
  readonly optimizer: NamedArrays;
}

/** A checkpoint's parts by file name, with the SHA-256 of each. */
export type CheckpointParts = Readonly<Record<PartName, { readonly body: Uint8Array; readonly sha256: string }>>;

/** The files of a checkpoint. */
export const partNames = ['model.safetensors', 'optimizer.safetensors', 'state.json'] as const;
export type PartName = (typeof partNames)[number];

/** Shapes are channels last: `[kernel…, in, out]`, `[kernel…, out, in]` for transposed convolutions, `[in, out]` for linear layers. */
const modelMetadata = { format: 'tempeh-flow', layout: 'channels-last' };

const stateSchema = z.object({
  step: z.int().min(0),
  stage: stageNameSchema,
  seed: z.int(),
  skippedBatches: z.int().min(0),
  loss: z.number().nullable(),
  validationPending: z.boolean(),
  configurationSha256: z.string(),
  /** Stages that are done with it; absent in those of earlier versions, as are `parts`. */
  finishes: z.array(stageNameSchema).optional(),
  /** The files beside it, so that a manifest can be made again from a checkpoint alone. */
  parts: z.record(z.string(), z.object({ size: z.int().min(0), sha256: sha256Schema })).optional(),
});

/** What a checkpoint's `state.json` says. */
export type StoredState = z.infer<typeof stateSchema>;

/** A state whose arrays are files already, each on a buffer of its own: what goes to another thread. */
export interface EncodedState extends Omit<TrainingState, 'model' | 'optimizer'> {
  readonly model: Uint8Array;
  readonly optimizer: Uint8Array;
}

export function encodeArrays({ model, optimizer, ...state }: TrainingState): EncodedState {
  return { ...state, model: encodeModel(model), optimizer: encodeSafetensors(optimizer, modelMetadata) };
}

/**
 * The parts of a checkpoint, hashed.
 *
 * @param configuration the resolved configuration, whose hash is stored beside the numbers.
 * @param finishes stages that are done with it.
 */
export function checkpointParts(
  { model, optimizer, ...state }: EncodedState,
  configuration: unknown,
  finishes: readonly TrainingStage[] = [],
): CheckpointParts {
  const { step, stage, seed, skippedBatches, loss, validationPending } = state;
  const part = (body: Uint8Array): { body: Uint8Array; sha256: string } => ({ body, sha256: sha256Of(body) });
  const arrays = { 'model.safetensors': part(model), 'optimizer.safetensors': part(optimizer) };
  const json = {
    step,
    stage,
    seed,
    skippedBatches,
    loss,
    validationPending,
    configurationSha256: sha256Of(Buffer.from(JSON.stringify(configuration))),
    finishes: [...finishes],
    parts: Object.fromEntries(
      Object.entries(arrays).map(([name, { body, sha256 }]) => [name, { size: body.length, sha256 }]),
    ),
  } satisfies StoredState;
  return { ...arrays, 'state.json': part(Buffer.from(`${JSON.stringify(json, null, 2)}\n`)) };
}

/** Parameters as of `checkpointParts`. */
export function encodeTrainingState(
  state: TrainingState,
  configuration: unknown,
  finishes: readonly TrainingStage[] = [],
): CheckpointParts {
  return checkpointParts(encodeArrays(state), configuration, finishes);
}

/** @throws StoredObjectInvalid */
export function parseTrainingState(bytes: Uint8Array, key: string): StoredState {
  return parseStored(bytes, key, { schema: stateSchema });
}

/** @param key where the parts lie, for messages. @throws StoredObjectInvalid, SafetensorsError */
export function decodeTrainingState(parts: Readonly<Record<PartName, Uint8Array>>, key: string): TrainingState {
  const stored = parseTrainingState(parts['state.json'], `${key}/state.json`);
  const { configurationSha256: _, finishes: __, parts: ___, ...state } = stored;
  return {
    ...state,
    model: decodeModel(parts['model.safetensors'], `${key}/model.safetensors`),
    optimizer: decodeSafetensors(parts['optimizer.safetensors'], `${key}/optimizer.safetensors`).arrays,
  };
}

/** A model’s arrays as the bytes of `model.safetensors`. */
export function encodeModel(model: NamedArrays): Uint8Array {
  return encodeSafetensors(model, modelMetadata);
}

/** @throws SafetensorsError for a file in another layout. */
export function decodeModel(bytes: Uint8Array, file: string): NamedArrays {
  const { arrays, metadata } = decodeSafetensors(bytes, file);
  if (metadata['layout'] !== modelMetadata.layout) {
    throw new SafetensorsError(
      `${file} has layout "${metadata['layout'] ?? 'not stated'}"; expected "${modelMetadata.layout}", as this program writes it`,
    );
  }
  return arrays;
}

export function sha256Of(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}
