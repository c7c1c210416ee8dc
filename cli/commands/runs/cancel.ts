import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface CancelArguments extends GlobalOptions, ConnectionOptions {
  run: string;
  terminate: boolean;
}

export const command: CommandBody<CancelArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .option('terminate', {
        type: 'boolean',
        default: false,
        describe: 'At once and without its workers, where these cannot read it: its payload key is lost',
      })
      .example('$0 cancel famos-1', 'resume goes on with it')
      .example('$0 cancel famos-1 --terminate', 'start goes on with it, under a new key')
      .epilogue('The payload key of the run is not needed.'),
  handler: async ({ terminate, ...options }) => {
    const { steer } = await import('../../runs/steer.js');
    process.exitCode = await steer(terminate ? 'terminate' : 'cancel', options);
  },
};
