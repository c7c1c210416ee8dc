import { portsAreNumbers } from '../../machine/ports.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface TensorboardArguments extends GlobalOptions {
  run: string | undefined;
  port: number;
  directory: string | undefined;
  config: string | undefined;
}

export const command: CommandBody<TensorboardArguments> = {
  builder: (yargs) =>
    yargs
      .check(portsAreNumbers)
      .positional('run', { type: 'string', describe: 'Name of the run; the last of npm start if left out' })
      .option('port', { type: 'number', default: 6006, describe: 'Preferred; another if it is taken' })
      .option('directory', { type: 'string', describe: 'Folder of npm start [default: .tempeh]' })
      .option('config', { type: 'string', describe: 'Configuration that says where the object store is' })
      .example('$0 tensorboard', 'The last run of npm start')
      .example(
        '$0 tensorboard famos-20260101',
        'A run of the services that TEMPORAL_ADDRESS and the AWS variables name',
      ),
  handler: async (options) => {
    const { tensorboard } = await import('../../tensorboard/tensorboard.js');
    process.exitCode = await tensorboard(options);
  },
};
