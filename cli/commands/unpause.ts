import type { CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../connection.js';
import type { GlobalOptions } from '../program.js';

interface UnpauseArguments extends GlobalOptions, ConnectionOptions {
  run: string;
}

export const command: CommandModule<GlobalOptions, UnpauseArguments> = {
  command: 'unpause <run>',
  describe: 'Go on with a paused run',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .example('$0 unpause famos-1', 'The same as resume'),
  handler: async (options) => {
    const { unpause } = await import('../runs/steer.js');
    process.exitCode = await unpause(options);
  },
};
