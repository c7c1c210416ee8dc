import { DamagedCheckpoint } from '../checkpoints/reading/readCheckpoint.js';
import { faultOf } from '../training/process/faults.js';
import { CheckpointNotFound, ImportRefused, PublishedCheckpointMismatch } from '../training/published/errors.js';
import type { PredictorFault } from './protocol.js';
import { FoldersUnsuitable, FrameFailed } from './folders/job.js';

/** What has to be changed on the command line, or on the machine, before it can succeed. */
const ofConfiguration = [FoldersUnsuitable, ImportRefused, PublishedCheckpointMismatch, CheckpointNotFound];

/** Whose fault it is that a predictor's work ended with an error. */
export function predictorFaultOf(error: unknown): PredictorFault {
  if (ofConfiguration.some((kind) => error instanceof kind)) return 'configuration';
  if (error instanceof FrameFailed || error instanceof DamagedCheckpoint) return 'data';
  const fault = faultOf(error);
  // What only training can do does not happen here.
  return fault === 'diverged' || fault === 'lease-lost' ? 'infrastructure' : fault;
}
