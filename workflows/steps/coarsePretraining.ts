import type { StageResult } from '../../training/process/protocol.js';
import { runTrainingStage } from './trainingStage.js';
import type { StepInput } from '../types.js';

/** The coarse model on registrations alone (method 4). */
export async function coarsePretraining(input: StepInput): Promise<StageResult> {
  return runTrainingStage('coarse-pretraining', input);
}
