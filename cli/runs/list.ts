import { withDevices } from '../../client/runs/devices.js';
import { listRuns } from '../../client/runs/listRuns.js';
import type { ListedState } from '../../configs/temporal.js';
import { withTemporal, type ConnectionOptions } from '../connection.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { columns, styled } from '../terminal/terminal.js';
import { duration } from '../../text/duration.js';
import { print, printJson } from '../terminal/print.js';

export interface ListOptions extends ConnectionOptions {
  readonly json: boolean;
  readonly limit: number;
  readonly state: ListedState | undefined;
  readonly stage: string | undefined;
  readonly dataset: string | undefined;
}

/** Lists runs. @returns the exit code. */
export async function list({ json, limit, state, stage, dataset, ...connection }: ListOptions): Promise<number> {
  if (!(Number.isInteger(limit) && limit > 0)) {
    throw new CommandError(`--limit ${limit}: expected a whole number, 1 or more.`, exitCodes.usage);
  }
  const filter = {
    ...(state === undefined ? {} : { state }),
    ...(stage === undefined ? {} : { stage }),
    ...(dataset === undefined ? {} : { dataset }),
  };
  const runs = await withTemporal(connection, async ({ client }) =>
    withDevices(client, await listRuns(client, limit, filter)),
  );
  if (json) {
    printJson(runs);
  } else if (runs.length === 0) {
    const isFiltered = Object.keys(filter).length > 0;
    print(
      isFiltered ? 'No run matches.' : 'There is no run yet: npm start, or tempeh-flow start full-training, makes one.',
    );
  } else {
    const header = ['run', 'state', 'at', 'data set', 'started', 'took'].map((cell) => styled('dim', cell));
    const rows = runs.map(
      ({ run, workflowId, state: is, stage: at, step, devices, dataset: set, startedAt, closedAt }) => [
        run === workflowId ? run : workflowId,
        is,
        [at ?? '', step === null ? '' : `step ${step}`, ...devices.map((device) => `on ${device}`)]
          .filter((part) => part !== '')
          .join(', '),
        set ?? '',
        startedAt.toISOString().slice(0, 16).replace('T', ' '),
        duration(((closedAt ?? new Date()).getTime() - startedAt.getTime()) / 1000),
      ],
    );
    print(columns([header, ...rows]));
  }
  return exitCodes.ok;
}
