import { listRuns } from '../../client/runs/listRuns.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { exitCodes } from '../exitCodes.js';
import { columns, duration, styled } from '../terminal/terminal.js';
import { print, printJson } from '../terminal/print.js';

/** Lists runs. @returns the exit code. */
export async function list({
  json,
  limit,
  ...connection
}: ConnectionOptions & { readonly json: boolean; readonly limit: number }): Promise<number> {
  const runs = await withTemporal(connection, ({ client }) => listRuns(client, limit));
  if (json) {
    printJson(runs);
  } else if (runs.length === 0) {
    print('There is no run yet: npm start, or tempeh-flow start full-training, makes one.');
  } else {
    const header = ['run', 'state', 'at', 'data set', 'started', 'took'].map((cell) => styled('dim', cell));
    const rows = runs.map(({ run, workflowId, status, stage, step, dataset, startedAt, closedAt }) => [
      run === workflowId ? run : workflowId,
      status.toLowerCase(),
      [stage ?? '', step === null ? '' : `step ${step}`].filter((part) => part !== '').join(', '),
      dataset ?? '',
      startedAt.toISOString().slice(0, 16).replace('T', ' '),
      duration(((closedAt ?? new Date()).getTime() - startedAt.getTime()) / 1000),
    ]);
    print(columns([header, ...rows]));
  }
  return exitCodes.ok;
}
