import { ablations } from '../../../configs/series/ablations.js';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface AblateArguments extends GlobalOptions, ConnectionOptions {
  what: string;
  views: string;
  config: string | undefined;
  set: string[];
  base: string | undefined;
  run: string | undefined;
  follow: boolean;
}

export const command: CommandBody<AblateArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .option('what', {
        type: 'string',
        default: ablations.join(','),
        requiresArg: true,
        describe:
          'What is left out, joined by commas: views (of the trained model), localiser, fusion (surface-aware), p2s (point to surface, of both losses that have it)',
      })
      .option('views', {
        type: 'string',
        default: '2,4,8',
        requiresArg: true,
        describe: 'Of views: the numbers of views that the trained model is given; all of them is the first row',
      })
      .option('config', { type: 'string', describe: 'As of start [default: famos; with --base that run’s]' })
      .option('set', setOption)
      .option('base', {
        type: 'string',
        requiresArg: true,
        describe: 'A run that is there in place of a new one: what it has trained is not trained again',
      })
      .option('run', { type: 'string', describe: 'Name of the series [default: data set and time]' })
      .option('follow', {
        type: 'boolean',
        default: false,
        describe: 'Watch it until it ends; Ctrl-C ends the watching only',
      })
      .example('$0 ablate --config workshop --run parts --follow', 'Everything, and without each part')
      .example('$0 ablate --base famos-1 --what views --views 2,4,8,12', 'A trained model with fewer views')
      .example('$0 ablate --base famos-1 --what fusion,p2s', 'Branches of a run: its data and pre-training are shared')
      .example('$0 report parts --open', 'The table, also while runs train')
      .epilogue(
        'Each run is one like any other (status, logs, resume …); the series’ name stands for all of them, as of start --seeds.',
      ),
  handler: async (options) => {
    const { ablate } = await import('../../runs/ablate.js');
    process.exitCode = await ablate(options);
  },
};
