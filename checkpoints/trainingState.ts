import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TrainingStage } from '../configs/schema/training.js';
import { decodeSafetensors, encodeSafetensors, type NamedArrays } from './safetensors.js';

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

export const partNames = ['model.safetensors', 'optimizer.safetensors', 'state.json'] as const;
export type PartName = (typeof partNames)[number];

/** Shapes are channels last: `[kernel…, in, out]`, `[kernel…, out, in]` for transposed convolutions, `[in, out]` for linear layers. */
const modelMetadata = { format: 'tempeh-flow', layout: 'channels-last' };

const stateSchema = z.object({
  step: z.int().min(0),
  stage: z.enum(['coarse-pretraining', 'coarse-finetuning', 'refinement'] satisfies TrainingStage[]),
  seed: z.int(),
  skippedBatches: z.int().min(0),
  loss: z.number().nullable(),
  validationPending: z.boolean(),
  configurationSha256: z.string(),
});

/** @param configuration - the resolved configuration, whose hash is stored beside the numbers. */
export function encodeTrainingState(state: TrainingState, configuration: unknown): CheckpointParts {
  const { step, stage, seed, skippedBatches, loss, validationPending, model, optimizer } = state;
  const json = {
    step,
    stage,
    seed,
    skippedBatches,
    loss,
    validationPending,
    configurationSha256: sha256Of(Buffer.from(JSON.stringify(configuration))),
  } satisfies z.infer<typeof stateSchema>;
  const part = (body: Uint8Array): { body: Uint8Array; sha256: string } => ({ body, sha256: sha256Of(body) });
  return {
    'model.safetensors': part(encodeModel(model)),
    'optimizer.safetensors': part(encodeSafetensors(optimizer, modelMetadata)),
    'state.json': part(Buffer.from(`${JSON.stringify(json, null, 2)}\n`)),
  };
}

/** @param key - where the parts lie, for messages. */
export function decodeTrainingState(parts: Readonly<Record<PartName, Uint8Array>>, key: string): TrainingState {
  const json: unknown = JSON.parse(new TextDecoder().decode(parts['state.json']));
  const { configurationSha256: _, ...state } = stateSchema.parse(json);
  return {
    ...state,
    model: decodeModel(parts['model.safetensors'], `${key}/model.safetensors`),
    optimizer: decodeSafetensors(parts['optimizer.safetensors'], `${key}/optimizer.safetensors`).arrays,
  };
}

export function encodeModel(model: NamedArrays): Uint8Array {
  return encodeSafetensors(model, modelMetadata);
}

/** @throws SafetensorsError for a file in another layout. */
export function decodeModel(bytes: Uint8Array, file: string): NamedArrays {
  const { arrays, metadata } = decodeSafetensors(bytes, file);
  if (metadata['layout'] !== modelMetadata.layout) {
    throw new Error(
      `${file} has layout "${metadata['layout'] ?? 'not stated'}"; expected "${modelMetadata.layout}", as this program writes it`,
    );
  }
  return arrays;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
