import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface StatusArguments extends GlobalOptions, ConnectionOptions {
  run: string;
  json: boolean;
  follow: boolean;
}

export const command: CommandBody<StatusArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON; with --follow one line for each look' })
      .option('follow', { type: 'boolean', default: false, describe: 'Until it ends, with the exit code of its end' })
      .example('$0 status famos-1', 'Steps, progress, pre-emptions and failures, the next attempt')
      .example('$0 status famos-1 --follow', 'Until it ends')
      .example('$0 status famos-1 --json | jq .status', 'For scripts'),
  handler: async (options) => {
    const { status } = await import('../../runs/status.js');
    process.exitCode = await status(options);
  },
};
