import type { CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../connection.js';
import type { GlobalOptions } from '../program.js';

interface CancelArguments extends GlobalOptions, ConnectionOptions {
  run: string;
}

export const command: CommandModule<GlobalOptions, CancelArguments> = {
  command: 'cancel <run>',
  describe: 'End a run in an orderly way: what trains saves first',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .example('$0 cancel famos-1', 'resume goes on with it'),
  handler: async (options) => {
    const { cancel } = await import('../runs/steer.js');
    process.exitCode = await cancel(options);
  },
};
