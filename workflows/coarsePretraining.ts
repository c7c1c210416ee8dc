import type { RunInput } from '../activities/types.js';
import type { StageResult } from '../training/protocol.js';
import { trainingStep } from './trainingStep.js';

/** The coarse model on registrations alone (spec section 4). */
export async function coarsePretraining(input: RunInput): Promise<StageResult> {
  return trainingStep('coarse-pretraining', input);
}
