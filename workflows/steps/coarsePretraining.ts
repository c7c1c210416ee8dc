import type { StageResult } from '../../training/process/protocol.js';
import { trainingStep } from './trainingStep.js';
import type { StepInput } from '../types.js';

/** The coarse model on registrations alone (method 4). */
export async function coarsePretraining(input: StepInput): Promise<StageResult> {
  return trainingStep('coarse-pretraining', input);
}
