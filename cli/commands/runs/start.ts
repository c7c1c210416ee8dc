import type { Argv, CommandModule } from 'yargs';
import { runSteps, type RunStep } from '../../../configs/temporal.js';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';
import { overridesOf, withViewOptions, type ViewOptions } from '../../viewOptions.js';

interface StartArguments extends GlobalOptions, ConnectionOptions, ViewOptions {
  config: string | undefined;
  set: string[];
  run: string | undefined;
  follow: boolean;
  from: string | undefined;
  seeds: number | undefined;
  plan: boolean;
  'step-seconds': number | undefined;
  'gpu-price': number | undefined;
  'storage-price': number | undefined;
}

const descriptions: Readonly<Record<RunStep | 'full-training', string>> = {
  'full-training': 'All steps of a run, from fetching the data to the evaluation',
  dataset: 'Fetch, extract and pack the data set',
  'coarse-pretraining': 'Train the coarse model',
  'coarse-finetuning': 'Go on with the coarse model, against the scans',
  predictions: 'Predict what the refinement starts from',
  refinement: 'Train the refinement model',
  evaluation: 'Predict the test set and measure the errors',
};

function startOptions<T>(yargs: Argv<T>, what: string): Argv<T & Omit<StartArguments, keyof GlobalOptions>> {
  const run = what === 'full-training' ? '' : ' --run famos-1';
  return withSeeds(withViewOptions(withConnectionOptions(yargs)), what)
    .option('config', {
      type: 'string',
      describe:
        'YAML file, a published run’s config.json, or miniature, workshop or famos [default: famos; with --from that run’s, of a step that of --run]',
    })
    .option('set', setOption)
    .option('run', { type: 'string', describe: 'Name of the run [default: data set and time]' })
    .option('from', {
      type: 'string',
      describe: 'Branch: begin with another run’s checkpoint, RUN/STAGE or RUN/STAGE@STEP (coarse, refinement)',
    })
    .option('follow', {
      type: 'boolean',
      default: false,
      describe: 'Watch it until it ends; Ctrl-C ends the watching only',
    })
    .option('plan', {
      type: 'boolean',
      default: false,
      describe: 'Say what it would take (steps, hours, disks, bucket) and what is missing; start nothing',
    })
    .option('step-seconds', {
      type: 'number',
      describe: 'Of --plan: seconds of a coarse step on your machine [default: as measured here]',
    })
    .option('gpu-price', { type: 'number', describe: 'Of --plan: price of an hour of a GPU' })
    .option('storage-price', { type: 'number', describe: 'Of --plan: price of a gigabyte in the bucket for a month' })
    .example(
      what === 'full-training' ? `$0 start ${what} --config run.yaml --follow` : `$0 start ${what}${run} --follow`,
      what === 'full-training' ? '' : 'With what famos-1 was started with',
    )
    .example(`$0 start ${what} --config famos --set storage.bucket=NAME${run}`, '')
    .example(`$0 start ${what}${run} --plan --step-seconds 0.2 --gpu-price 2.5`, 'What it takes; starts nothing')
    .example(`$0 start ${what} --run famos-2 --from famos-1/coarse@300000`, 'Branch a run');
}

/** An option of full training; hidden for a single step, which refuses it with the reason. */
function withSeeds<T>(yargs: Argv<T>, what: string): Argv<T & { seeds: number | undefined }> {
  const isHidden = what !== 'full-training';
  const withOption = yargs.option('seeds', {
    type: 'number',
    hidden: isHidden,
    describe:
      'So many runs that differ by their seed alone (seed, seed + 1, …) and share the data set: RUN-seed-0, …; RUN names them all, and its table has mean and spread',
  });
  if (isHidden) return withOption;
  return withOption.example(
    `$0 start ${what} --config workshop --run repeats --seeds 3 --follow`,
    'How much of it is chance',
  );
}

const commandOf = (what: RunStep | 'full-training'): CommandModule<GlobalOptions, StartArguments> => ({
  command: what,
  describe: descriptions[what],
  builder: (yargs) => startOptions(yargs, what),
  handler: async (options) => {
    const { start } = await import('../../runs/start.js');
    const plan = {
      stepSeconds: options['step-seconds'],
      gpuPrice: options['gpu-price'],
      storagePrice: options['storage-price'],
    };
    process.exitCode = await start(what, {
      ...options,
      set: overridesOf(options),
      plan: options.plan ? plan : null,
    });
  },
});

interface FinetuneArguments extends GlobalOptions, ConnectionOptions, ViewOptions {
  config: string;
  set: string[];
  run: string | undefined;
  follow: boolean;
  'from-checkpoint': string[];
}

const finetuneCommand: CommandModule<GlobalOptions, FinetuneArguments> = {
  command: 'finetune',
  describe: 'Train a trained model further on other data: both stages, at lower rates',
  builder: (yargs) =>
    withViewOptions(withConnectionOptions(yargs))
      .option('from-checkpoint', {
        type: 'string',
        array: true,
        requiresArg: true,
        demandOption: true,
        describe:
          'What it starts from: a published checkpoint (.pth) or run’s folder, or RUN[/STAGE][@STEP]; twice for coarse and refinement files',
      })
      .option('config', { type: 'string', demandOption: true, describe: 'YAML file of the other data' })
      .option('set', setOption)
      .option('run', { type: 'string', describe: 'Name of the new run [default: data set and time]' })
      .option('follow', { type: 'boolean', default: false, describe: 'Watch it until it ends' })
      .example(
        '$0 start finetune --from-checkpoint runs/coarse/NAME runs/refinement/NAME --config mine.yaml --follow',
        '',
      )
      .example('$0 start finetune --from-checkpoint famos-1 --config mine.yaml', 'From a run of the same store')
      .epilogue(
        'Where the file does not say otherwise: 20,000 iterations of the coarse model at a rate of 1e-4, 10,000 of a refinement model that is given. training.STAGE.frozen keeps parts as they are. docs/own-data.md has a recipe.',
      ),
  handler: async (options) => {
    const { finetune } = await import('../../runs/finetune.js');
    process.exitCode = await finetune({
      ...options,
      set: overridesOf(options),
      fromCheckpoint: options['from-checkpoint'],
    });
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => {
    let all: Argv<GlobalOptions> = yargs;
    for (const what of ['full-training', ...runSteps] as const) all = all.command(commandOf(what));
    return all
      .command(finetuneCommand)
      .demandCommand(1, 'Start what?')
      .epilogue(
        'Steps that the object store shows to be done are not done again: starting a run anew under its name resumes it.',
      );
  },
  handler: () => undefined,
};
