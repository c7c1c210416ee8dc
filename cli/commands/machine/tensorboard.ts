import { portsAreNumbers } from '../../machine/ports.js';
import { withStoreOptions, type StoreOptions } from '../../storeOptions.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface TensorboardArguments extends GlobalOptions, StoreOptions {
  runs: string[];
  host: string;
  port: number;
  directory: string | undefined;
}

export const command: CommandBody<TensorboardArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
      .check(portsAreNumbers)
      .positional('runs', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Names of runs; the last of npm start if left out',
      })
      .option('host', {
        type: 'string',
        default: '127.0.0.1',
        describe: 'Where it listens; 0.0.0.0 for all the network',
      })
      .option('port', { type: 'number', default: 6006, describe: 'Preferred; another if it is taken' })
      .option('directory', { type: 'string', describe: 'Folder of npm start [default: .tempeh]' })
      .example('$0 tensorboard', 'The last run of npm start')
      .example('$0 tensorboard famos-1 famos-2', 'Runs that TEMPORAL_ADDRESS knows, beside each other'),
  handler: async (options) => {
    const { tensorboard } = await import('../../tensorboard/tensorboard.js');
    process.exitCode = await tensorboard(options);
  },
};
