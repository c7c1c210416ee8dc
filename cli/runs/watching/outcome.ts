import type { Client } from '@temporalio/client';
import type { RunDescription } from '../../../client/runs/describeRun.js';
import type { FetchResult } from '../../../workflows/fetchPublished.js';
import type { FolderPredictionSummary, FullTrainingResult, SeriesResult } from '../../../workflows/types.js';
import { predictionSummary } from '../../predict/display.js';
import type { MaybeInterrupted } from '../../../activities/types.js';
import { printable } from '../../../text/printable.js';
import type { StageResult } from '../../../training/process/protocol.js';
import { styled } from '../../terminal/terminal.js';
import { evaluationTable } from './evaluationTable.js';
import { seriesText } from './seriesText.js';

/** What a run came to. */
export interface Outcome {
  /** Its table, or what was predicted; empty where there is nothing to say. */
  readonly text: string;
  /** How many of the frames that were to be predicted are done. */
  readonly done: 'all' | 'some' | 'none';
}

type Result = FullTrainingResult | FolderPredictionSummary | FetchResult | SeriesResult;

/** What a run that is complete came to. */
export async function outcomeOf(client: Client, { status, workflowId }: RunDescription): Promise<Outcome> {
  if (status !== 'COMPLETED' || workflowId.includes('/')) return { text: '', done: 'all' };
  const result = (await client.workflow.getHandle(workflowId).result()) as Result;
  if ('members' in result) return { text: seriesText(result.kind, result.members), done: 'all' };
  if ('firstFailures' in result) {
    const { frames, failures } = result;
    const done = failures === 0 ? 'all' : failures < frames ? 'some' : 'none';
    return { text: predictionSummary(result), done };
  }
  // A fetch by itself has none.
  const { evaluation } = 'evaluation' in result ? result : { evaluation: null };
  const lines = evaluation === null ? [] : [evaluationTable(evaluation)];
  const stages = 'stages' in result ? result.stages : [];
  const warnings = [
    ...stages.flatMap(({ stage, interruptions }: StageResult & MaybeInterrupted) =>
      (interruptions?.warnings ?? []).map((warning) => `${stage}: ${printable(warning, 600)}`),
    ),
    ...(evaluation?.warnings ?? []),
  ];
  if (warnings.length > 0) {
    const title = `Complete, with ${warnings.length} warning${warnings.length === 1 ? '' : 's'}:`;
    lines.push(
      [title, ...warnings.map((warning) => `  ! ${warning}`)].map((line) => styled('yellow', line)).join('\n'),
    );
  }
  return { text: lines.join('\n\n'), done: 'all' };
}
