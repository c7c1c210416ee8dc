import type { CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../connection.js';
import type { GlobalOptions } from '../program.js';

interface RetryArguments extends GlobalOptions, ConnectionOptions {
  run: string;
}

export const command: CommandModule<GlobalOptions, RetryArguments> = {
  command: 'retry <run>',
  describe: 'Try at once what failed, without waiting for its next attempt',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .example('$0 retry famos-1', 'The bucket is back: do not wait out the back-off')
      .epilogue('A run that has failed is started again: as resume does.'),
  handler: async (options) => {
    const { retry } = await import('../runs/steer.js');
    process.exitCode = await retry(options);
  },
};
