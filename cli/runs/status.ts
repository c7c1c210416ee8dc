import type { FetchResult } from '../../workflows/fetchPublished.js';
import type { FolderPredictionSummary, FullTrainingResult } from '../../workflows/types.js';
import { describeRun, type RunDescription } from '../../client/describeRun.js';
import { withTemporal, type Connected, type ConnectionOptions } from '../connection.js';
import { evaluationTable } from './evaluationTable.js';
import { exitCodes, type ExitCode } from '../exitCodes.js';
import { followRun } from './followRun.js';
import { predictionSummary } from '../predict/display.js';
import { progressLines } from './progressLines.js';
import { duration } from '../terminal/terminal.js';

export interface StatusOptions extends ConnectionOptions {
  readonly run: string;
  readonly json: boolean;
  readonly follow: boolean;
}

/** Shows a run. @returns the exit code: with `--follow` that of the run's end, else 0. */
export async function status({ run, json, follow, ...connection }: StatusOptions): Promise<number> {
  return withTemporal(connection, async (connected) => {
    if (follow) return json ? followAsJson(connected, run) : followToEnd(connected, run);
    const description = await describeRun(connected.client, run);
    if (json) process.stdout.write(`${JSON.stringify(description, null, 2)}\n`);
    else process.stdout.write(`${await statusText(connected, description)}\n`);
    return exitCodes.ok;
  });
}

async function statusText(connected: Connected, description: RunDescription): Promise<string> {
  const { run, workflowId, status: name, startedAt, closedAt, failure } = description;
  const seconds = ((closedAt ?? new Date()).getTime() - startedAt.getTime()) / 1000;
  const page = connected.pageOf(workflowId);
  const lines = [`${run}: ${name.toLowerCase()}, ${duration(seconds)}`, ...(page === null ? [] : [`  ${page}`]), ''];
  // A run that has ended without a worker here to tell of its steps is told by its first line and its table.
  if (name === 'RUNNING' || description.progress !== null) lines.push(...progressLines(description));
  if (failure !== null) lines.push('', failure);
  const end = await endOf(connected, description);
  return [...lines, ...(end === '' ? [] : ['', end])].join('\n');
}

/** Watches a run until it ends; Ctrl-C ends the watching only. @returns the exit code that its end means. */
export async function followToEnd(connected: Connected, run: string): Promise<ExitCode> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', stop);
  try {
    const description = await followRun({ client: connected.client, run, signal: stopped.signal });
    if (description.status === 'RUNNING') {
      process.stdout.write(`\n${run} goes on: tempeh-flow status ${run} --follow\n`);
      return exitCodes.interrupted;
    }
    if (description.failure !== null) process.stdout.write(`\n${description.failure}\n`);
    const end = await endOf(connected, description);
    if (end !== '') process.stdout.write(`\n${end}\n`);
    return description.status === 'COMPLETED' ? exitCodes.ok : exitCodes.failed;
  } finally {
    process.off('SIGINT', stop);
  }
}

/** As `followToEnd`, a line of JSON for each look. */
export async function followAsJson({ client }: Connected, run: string): Promise<ExitCode> {
  for (;;) {
    const description = await describeRun(client, run);
    process.stdout.write(`${JSON.stringify(description)}\n`);
    if (description.status !== 'RUNNING') return description.status === 'COMPLETED' ? exitCodes.ok : exitCodes.failed;
    await new Promise((resolve) => setTimeout(resolve, 5000));
  }
}

/** What a run that is complete came to: its table, or what was predicted. */
async function endOf({ client }: Connected, { status: name, workflowId }: RunDescription): Promise<string> {
  if (name !== 'COMPLETED' || workflowId.includes('/')) return '';
  const result = (await client.workflow.getHandle(workflowId).result()) as
    FullTrainingResult | FolderPredictionSummary | FetchResult;
  if ('firstFailures' in result) return predictionSummary(result);
  // A fetch by itself has none.
  return 'evaluation' in result && result.evaluation ? evaluationTable(result.evaluation) : '';
}
