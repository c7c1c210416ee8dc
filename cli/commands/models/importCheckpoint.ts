import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface ImportArguments extends GlobalOptions {
  file: string;
  run: string;
  config: string;
  set: string[];
  stage: 'coarse' | 'refinement' | undefined;
  step: number | undefined;
  final: boolean;
}

export const command: CommandBody<ImportArguments> = {
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'Written by PyTorch 1.6 or later' })
      .option('run', {
        type: 'string',
        demandOption: true,
        describe: 'Name of the run, which has no such checkpoint yet',
      })
      .option('config', {
        type: 'string',
        default: 'famos',
        describe: 'YAML file, a published run’s config.json, or miniature, workshop or famos',
      })
      .option('set', setOption)
      .option('stage', {
        choices: ['coarse', 'refinement'] as const,
        describe: 'What it holds [default: what its names tell]',
      })
      .option('step', { type: 'number', describe: 'Steps done [default: the number in model_00300000.pth]' })
      .option('final', { type: 'boolean', default: false, describe: 'Its stage counts as done, whatever the step' })
      .example(
        '$0 import-checkpoint model_00800000.pth --run famos-1 --config config.json --set storage.bucket=NAME',
        '',
      )
      .example('$0 import-checkpoint resnet34.pth --run famos-1 --set storage.bucket=NAME', 'The trunk’s start'),
  handler: async (options) => {
    const { importCheckpoint } = await import('../../store/publishedCheckpoints.js');
    process.exitCode = await importCheckpoint(options);
  },
};
