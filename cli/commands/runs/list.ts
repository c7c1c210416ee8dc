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
      .option('limit', { type: 'number', default: 50, describe: 'So many at most' })
      .option('state', { choices: listedStates, describe: 'Only those that are so' })
      .option('stage', { choices: runSteps, describe: 'Only those that are, or ended, at this step' })
      .option('dataset', { type: 'string', describe: 'Only those of this data set' })
      .example('$0 list --state paused', 'What waits for somebody')
      .example('$0 list', 'Name, state, step, start'),
  handler: async (options) => {
    const { list } = await import('../../runs/list.js');
    process.exitCode = await list(options);
  },
};
