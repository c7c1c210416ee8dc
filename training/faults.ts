import { FormatError } from '../datasets/formats/formatError.js';
import { StoreAccessDenied } from '../storage/types.js';
import { LeaseLost, NoUsableCheckpoint, StageNotFinished } from './checkpoints/errors.js';
import { CheckpointMismatch, Diverged } from './errors.js';
import type { TrainerFault } from './protocol.js';

/** Whose fault an error is, and so whether trying again helps. */
export function faultOf(error: unknown): TrainerFault {
  if (error instanceof StoreAccessDenied) return 'credentials';
  if (error instanceof LeaseLost) return 'lease-lost';
  if (error instanceof Diverged) return 'diverged';
  if (error instanceof StageNotFinished || error instanceof CheckpointMismatch) return 'configuration';
  if (error instanceof FormatError || error instanceof NoUsableCheckpoint) return 'data';
  return 'infrastructure';
}
