import type { TrainingStage } from '../../../configs/schema/training.js';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface ExtendArguments extends GlobalOptions, ConnectionOptions {
  run: string;
  stage: TrainingStage;
  iterations: number;
  stretch: boolean;
  follow: boolean;
}

export const command: CommandBody<ExtendArguments> = {
  builder: (yargs) =>
    withConnectionOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .positional('stage', {
        choices: ['coarse-pretraining', 'coarse-finetuning', 'refinement'] satisfies TrainingStage[],
        demandOption: true,
        describe: 'The stage',
      })
      .positional('iterations', {
        type: 'number',
        demandOption: true,
        describe: 'The step at which it is to end (of fine-tuning: pre-training included)',
      })
      .option('stretch', {
        type: 'boolean',
        default: false,
        describe: 'Also where the learning-rate schedule stretches with it',
      })
      .option('follow', { type: 'boolean', default: false, describe: 'Watch it until it ends' })
      .example('$0 extend famos-1 refinement 200000', 'While it trains, or when it has ended')
      .epilogue(
        'A running trainer saves and goes on. With a constant learning rate the weights are those of a run that was meant to be as long from its start. A run that has ended is started again: as resume --set does.',
      ),
  handler: async (options) => {
    const { extend } = await import('../../runs/extend.js');
    process.exitCode = await extend(options);
  },
};
