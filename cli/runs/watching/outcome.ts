import type { Client } from '@temporalio/client';
import type { RunDescription } from '../../../client/runs/describeRun.js';
import type { FetchResult } from '../../../workflows/fetchPublished.js';
import type { FolderPredictionSummary, FullTrainingResult } from '../../../workflows/types.js';
import { predictionSummary } from '../../predict/display.js';
import { evaluationTable } from './evaluationTable.js';

/** What a run came to. */
export interface Outcome {
  /** Its table, or what was predicted; empty where there is nothing to say. */
  readonly text: string;
  /** Of the frames that were to be predicted. */
  readonly done: 'all' | 'some' | 'none';
}

/** What a run that is complete came to. */
export async function outcomeOf(client: Client, { status, workflowId }: RunDescription): Promise<Outcome> {
  if (status !== 'COMPLETED' || workflowId.includes('/')) return { text: '', done: 'all' };
  const result = (await client.workflow.getHandle(workflowId).result()) as
    FullTrainingResult | FolderPredictionSummary | FetchResult;
  if ('firstFailures' in result) {
    const { frames, failures } = result;
    const done = failures === 0 ? 'all' : failures < frames ? 'some' : 'none';
    return { text: predictionSummary(result), done };
  }
  // A fetch by itself has none.
  const text = 'evaluation' in result && result.evaluation ? evaluationTable(result.evaluation) : '';
  return { text, done: 'all' };
}
