import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../program.js';

interface ListArguments extends GlobalOptions, ConnectionOptions {
  json: boolean;
  limit: number;
}

export const command: CommandBody<ListArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .option('limit', { type: 'number', default: 50, describe: 'So many at most' })
      .example('$0 list', 'Name, state, step, start'),
  handler: async (options) => {
    const { list } = await import('../../runs/list.js');
    process.exitCode = await list(options);
  },
};
