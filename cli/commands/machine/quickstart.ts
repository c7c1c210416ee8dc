import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface QuickstartArguments extends GlobalOptions {
  directory: string | undefined;
  config: string;
  set: string[];
  miniature: string;
  fresh: boolean;
  keep: boolean;
}

export const command: CommandBody<QuickstartArguments> = {
  builder: (yargs) =>
    yargs
      .option('fresh', { type: 'boolean', default: false, describe: 'A new run, from fetching the data on' })
      .option('keep', { type: 'boolean', default: false, describe: 'Leave the services running until Ctrl-C' })
      .option('directory', { type: 'string', describe: 'Folder of services, data, logs [default: .tempeh]' })
      .option('config', {
        type: 'string',
        default: 'miniature',
        describe: 'YAML file; its dataset.source may be a folder of yours',
      })
      .option('set', setOption)
      .option('miniature', { type: 'string', default: '{}', describe: 'Changes of the generated data, as YAML' })
      .example('npm start', 'Train, or go on, or show what was trained')
      .example('npm start -- --keep', 'Look at the Temporal UI and the bucket afterwards')
      .example('npm start -- --config mine.yaml', 'On data of your own, where dataset.source is a directory')
      .example('npm start -- --fresh --set seed=1', 'Again, with other random numbers'),
  handler: async ({ directory, config, set, miniature, fresh, keep }) => {
    const { quickstart, parseMiniature } = await import('../../quickstart/quickstart.js');
    process.exitCode = await quickstart({
      directory,
      config,
      set,
      miniature: parseMiniature(miniature),
      fresh,
      keep,
    });
  },
};
