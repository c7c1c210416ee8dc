import type { StageResult } from '../../training/process/protocol.js';
import { trainingStep } from './trainingStep.js';
import type { StepInput } from '../types.js';

/** The coarse model goes on with scans, from pre-training's last step. */
export async function coarseFinetuning(input: StepInput): Promise<StageResult> {
  return trainingStep('coarse-finetuning', input);
}
