import type { CommandModule } from 'yargs';
import type { CommandBody, GlobalOptions } from '../command.js';
import { setOption } from '../setOption.js';
import { print, printJson } from '../terminal/print.js';

interface ConfigurationArguments extends GlobalOptions {
  config: string;
  set: string[];
}

const show: CommandModule<GlobalOptions, ConfigurationArguments> = {
  command: 'show',
  describe: 'Print a configuration with every default filled in, each setting with a comment',
  builder: (yargs) =>
    yargs
      .option('config', { type: 'string', default: 'famos', describe: 'YAML file, or miniature, workshop or famos' })
      .option('set', setOption)
      .example('$0 config show --config miniature', 'What npm start trains')
      .example(
        '$0 config show --config run.yaml --set training.refinement.batchSize=1',
        'Check a file and an override',
      ),
  handler: async ({ config, set, json }) => {
    const { loadConfiguration } = await import('../../configs/load.js');
    const configuration = await loadConfiguration(config, set);
    if (json) {
      printJson(configuration);
      return;
    }
    const { explainedYaml } = await import('../../configs/documentation/explainedYaml.js');
    print(explainedYaml(configuration).trimEnd());
  },
};

const schema: CommandModule<GlobalOptions, GlobalOptions> = {
  command: 'schema',
  describe: 'Print the JSON Schema of a configuration, for editors',
  builder: (yargs) =>
    yargs.example('$0 config schema > tempeh-flow.schema.json', 'Complete and check YAML in an editor'),
  handler: async () => {
    const { configurationJsonSchema } = await import('../../configs/documentation/settings.js');
    printJson(configurationJsonSchema());
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => yargs.command(show).command(schema).demandCommand(1, 'Which: show or schema?'),
  handler: () => undefined,
};
