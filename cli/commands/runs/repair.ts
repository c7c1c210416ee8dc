import type { CommandBody, GlobalOptions } from '../../command.js';
import { withStoreOptions, type StoreOptions } from '../../storeOptions.js';

interface RepairArguments extends GlobalOptions, StoreOptions {
  run: string;
  yes: boolean;
}

export const command: CommandBody<RepairArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .option('yes', { type: 'boolean', default: false, describe: 'Write it; without, only show what would be done' })
      .example('$0 repair famos-1', 'Show what is there; change nothing')
      .example('$0 repair famos-1 --yes', 'Then: $0 resume famos-1'),
  handler: async (options) => {
    const { repair } = await import('../../store/repair.js');
    process.exitCode = await repair(options);
  },
};
