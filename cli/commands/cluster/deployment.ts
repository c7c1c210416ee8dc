import type { CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface NamedArguments extends GlobalOptions, ConnectionOptions {
  name: string | undefined;
}
interface PromoteArguments extends NamedArguments {
  'build-id': string | undefined;
  unversioned: boolean | undefined;
  incomplete: boolean;
}

const nameOption = {
  type: 'string',
  describe: 'Of the deployment [default: TEMPORAL_DEPLOYMENT_NAME, or tempeh-flow]',
} as const;

const show: CommandModule<GlobalOptions, NamedArguments> = {
  command: 'show [name]',
  describe: 'Which builds there are, which one gets the tasks, and how many workers each has',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('name', nameOption)
      .example('$0 deployment show', 'Before old workers are taken away'),
  handler: async (options) => {
    const { showDeployment } = await import('../../machine/workerBuilds.js');
    process.exitCode = await showDeployment(options);
  },
};

const promote: CommandModule<GlobalOptions, PromoteArguments> = {
  command: 'promote [name]',
  describe: 'Give the tasks to the workers of a build, those of runs that run included',
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('name', nameOption)
      .option('build-id', {
        type: 'string',
        describe: 'The build [default: TEMPORAL_WORKER_BUILD_ID, or that of this installation]',
      })
      .option('unversioned', { type: 'boolean', describe: 'To workers without a deployment instead' })
      .option('incomplete', {
        type: 'boolean',
        default: false,
        describe: 'Also without data workers or without GPU workers: what they are to do waits',
      })
      .conflicts('unversioned', 'build-id')
      .example('$0 deployment promote', 'New workers run, of the same code as this command')
      .example('$0 deployment promote --build-id 0.1.0-1f2e3d4c5b6a', 'Back to the build before'),
  handler: async (options) => {
    const { promote: run } = await import('../../machine/workerBuilds.js');
    process.exitCode = await run(options);
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => yargs.command(show).command(promote).demandCommand(1, 'What: show or promote?'),
  handler: () => undefined,
};
