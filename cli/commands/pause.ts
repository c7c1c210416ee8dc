import type { CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../connection.js';
import type { GlobalOptions } from '../program.js';

interface PauseArguments extends GlobalOptions, ConnectionOptions {
  run: string;
}

export const command: CommandModule<GlobalOptions, PauseArguments> = {
  command: 'pause <run>',
  describe: 'Stop a run in an orderly way until it is unpaused',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .example('$0 pause famos-1', 'What trains saves; the GPU is free'),
  handler: async (options) => {
    const { pause } = await import('../runs/steer.js');
    process.exitCode = await pause(options);
  },
};
