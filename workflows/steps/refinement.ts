import type { StageResult } from '../../training/process/protocol.js';
import { runTrainingStage } from './trainingStage.js';
import type { StepInput } from '../types.js';

/** The refinement model, from the coarse feature net and the cached predictions. */
export async function refinement(input: StepInput): Promise<StageResult> {
  return runTrainingStage('refinement', input);
}
