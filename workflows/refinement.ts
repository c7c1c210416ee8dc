import type { RunInput } from '../activities/types.js';
import type { StageResult } from '../training/protocol.js';
import { trainingStep } from './trainingStep.js';

/** The refinement model, from the coarse feature net and the cached predictions. */
export async function refinement(input: RunInput): Promise<StageResult> {
  return trainingStep('refinement', input);
}
