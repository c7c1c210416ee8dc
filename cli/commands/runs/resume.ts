import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface ResumeArguments extends GlobalOptions, ConnectionOptions {
  run: string;
  config: string | undefined;
  set: string[];
  follow: boolean;
}

export const command: CommandBody<ResumeArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .option('config', {
        type: 'string',
        describe: 'Another configuration than it was started with; where its objects are, if Temporal has forgotten it',
      })
      .option('set', {
        ...setOption,
        describe: 'Override a setting of --config, or of the run as it was: path=value; may be repeated',
      })
      .option('follow', { type: 'boolean', default: false, describe: 'Watch it until it ends' })
      .example('$0 resume famos-1', 'What is done is not done again')
      .example('$0 resume famos-1 --set storage.bucket=NAME', 'Once Temporal has forgotten it: as its store has it')
      .example('$0 resume famos-1 --config run.yaml', 'With an edited configuration: what differs is shown')
      .example('$0 resume famos-1 --set training.refinement.iterations=200000', 'Longer than it was meant to be'),
  handler: async (options) => {
    const { resume } = await import('../../runs/resume.js');
    process.exitCode = await resume(options);
  },
};
