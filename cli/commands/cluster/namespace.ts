import type { CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface InitArguments extends GlobalOptions, ConnectionOptions {
  create: boolean;
  'retention-days': number;
}

const init: CommandModule<GlobalOptions, InitArguments> = {
  command: 'init',
  describe: 'Register the search attributes that runs are found by, and wait until they are usable',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .option('create', { type: 'boolean', default: false, describe: 'Make the namespace where there is none' })
      .option('retention-days', {
        type: 'number',
        default: 30,
        describe: 'With --create: days that Temporal keeps runs which have ended',
      })
      .example('$0 namespace init --namespace heads', 'Once, by someone who may; start does it by itself where it may'),
  handler: async (options) => {
    const { initNamespace } = await import('../../machine/namespace.js');
    process.exitCode = await initNamespace(options);
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => yargs.command(init).demandCommand(1, 'What: init?'),
  handler: () => undefined,
};
