import { listedStates, runSteps, type ListedState } from '../../../configs/temporal.js';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface ListArguments extends GlobalOptions, ConnectionOptions {
  limit: number;
  state: ListedState | undefined;
  stage: string | undefined;
  dataset: string | undefined;
}

export const command: CommandBody<ListArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .option('limit', { type: 'number', default: 50, describe: 'At most this many' })
      .option('state', { choices: listedStates, describe: 'Only those in this state' })
      .option('stage', { choices: runSteps, describe: 'Only those that are at this step, or ended there' })
      .option('dataset', { type: 'string', describe: 'Only those of this data set' })
      .example('$0 list --state paused', 'What waits for someone')
      .example('$0 list', 'Name, state, step, start'),
  handler: async (options) => {
    const { list } = await import('../../runs/list.js');
    process.exitCode = await list(options);
  },
};
