import type { StageResult } from '../../training/process/protocol.js';
import { runTrainingStage } from './trainingStage.js';
import type { StepInput } from '../types.js';

/** The coarse model goes on with scans, from pre-training's last step. */
export async function coarseFinetuning(input: StepInput): Promise<StageResult> {
  return runTrainingStage('coarse-finetuning', input);
}
