import type { RunInput } from '../activities/types.js';
import type { StageResult } from '../training/protocol.js';
import { trainingStep } from './trainingStep.js';

/** The coarse model goes on with scans, from pre-training's last step. */
export async function coarseFinetuning(input: RunInput): Promise<StageResult> {
  return trainingStep('coarse-finetuning', input);
}
