import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface RepairArguments extends GlobalOptions {
  run: string;
  yes: boolean;
  config: string;
  set: string[];
}

export const command: CommandBody<RepairArguments> = {
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .option('yes', { type: 'boolean', default: false, describe: 'Write it; without, only show what would be done' })
      .option('config', { type: 'string', default: 'famos', describe: 'Says where the object store is' })
      .option('set', setOption)
      .example('$0 repair famos-1 --set storage.bucket=NAME', 'Show what is there; change nothing')
      .example('$0 repair famos-1 --set storage.bucket=NAME --yes', 'Then: $0 resume famos-1'),
  handler: async (options) => {
    const { repair } = await import('../../store/repair.js');
    process.exitCode = await repair(options);
  },
};
