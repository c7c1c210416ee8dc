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
  if (isOfDisk(error)) return 'worker';
  if (error instanceof ThreadFailed) {
    // Errors lose their class on their way out of a thread.
    if (error.originalName === 'StoreAccessDenied') return 'credentials';
    if (error.originalName === 'StoreUnsuitable') return 'configuration';
    if (['FormatError', 'DatasetMissing', 'StoredObjectInvalid'].includes(error.originalName)) return 'data';
  }
  return 'infrastructure';
}

/** Errors of files that this machine's disk makes, whatever is written: full, a quota used up, read-only, broken. */
const ofDisk = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'];

/** Also of what comes out of a thread, which keeps the message alone, and of what was thrown because of it. */
function isOfDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined && ofDisk.includes(code)) return true;
  if (error instanceof ThreadFailed && ofDisk.some((name) => error.message.includes(`${name}: `))) return true;
  return isOfDisk(error.cause);
}
