import { FormatError } from '../../datasets/formats/formatError.js';
import { DatasetMissing, FrameUnreadable } from '../../datasets/reader/errors.js';
import { ThreadFailed } from '../../datasets/threads/threadPool.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { StoreAccessDenied, StoreUnsuitable } from '../../storage/types.js';
import {
  CheckpointMismatch,
  CheckpointsLost,
  FinalModelDamaged,
  LeaseLost,
  ManifestMissing,
  NoUsableCheckpoint,
  StageNotFinished,
} from '../../checkpoints/errors.js';
import { SafetensorsError } from '../../checkpoints/safetensors.js';
import { Diverged, NetworkRefused } from '../errors.js';
import type { TrainerFault } from './protocol.js';

/** Whose fault an error is, and so whether trying again helps. */
export function faultOf(error: unknown): TrainerFault {
  if (error instanceof StoreAccessDenied) return 'credentials';
  if (error instanceof LeaseLost) return 'lease-lost';
  if (error instanceof Diverged) return 'diverged';
  const isOneOf = (kinds: readonly (abstract new (...values: never[]) => Error)[]): boolean =>
    kinds.some((kind) => error instanceof kind);
  if (isOneOf([StageNotFinished, CheckpointMismatch, NetworkRefused, StoreUnsuitable])) return 'configuration';
  if (isOneOf([FormatError, FrameUnreadable, DatasetMissing, StoredObjectInvalid, SafetensorsError])) return 'data';
  if (isOneOf([ManifestMissing, CheckpointsLost, NoUsableCheckpoint, FinalModelDamaged])) return 'data';
  if (error instanceof ThreadFailed) {
    // Errors lose their class on their way out of a thread.
    if (error.originalName === 'StoreAccessDenied') return 'credentials';
    if (error.originalName === 'StoreUnsuitable') return 'configuration';
    if (['FormatError', 'DatasetMissing', 'StoredObjectInvalid'].includes(error.originalName)) return 'data';
  }
  return 'infrastructure';
}
