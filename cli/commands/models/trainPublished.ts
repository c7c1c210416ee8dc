import type { Argv } from 'yargs';
import { groupedOptions, publishedOptions } from '../../../configs/published/publishedOptions.js';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface TrainArguments extends GlobalOptions, ConnectionOptions {
  set: string[];
  run: string | undefined;
  follow: boolean;
}

/** Names of a model's published options as its command line has them; groups of weights are one option each. */
function optionNames(model: 'coarse' | 'refinement'): string[] {
  const own = Object.keys({ ...publishedOptions.common, ...publishedOptions[model] });
  return [...own.filter((name) => !/^w_(edge|point)_/.test(name)), ...groupedOptions];
}

const kebab = (name: string): string => name.replaceAll('_', '-');

function trainOptions(yargs: Argv<GlobalOptions>, model: 'coarse' | 'refinement'): Argv<TrainArguments> {
  let all: Argv<unknown> = withConnectionOptions(yargs);
  for (const name of optionNames(model)) {
    const alias = name.includes('_') ? [name] : [];
    all = all.option(kebab(name), { alias, array: true, type: 'string', group: 'Published options:' });
  }
  return (all as Argv<GlobalOptions & ConnectionOptions>)
    .option('set', setOption)
    .option('run', { type: 'string', describe: 'Name of the run [default: --experiment-id]' })
    .option('follow', { type: 'boolean', default: false, describe: 'Watch it until it ends' })
    .example(
      model === 'coarse'
        ? '$0 train-global --num-iterations 800000 --weight-points2surface 10 --weight-edge-regularizer 1 --run famos-1 --set storage.bucket=NAME'
        : '$0 train-local --config-filename config.json --run famos-1 --set storage.bucket=NAME',
      '',
    )
    .epilogue(
      'Takes the published command’s options, with dashes or underscores; what has no counterpart here is reported, with what to use instead. Losses on surfaces or edges make it fine-tuning. docs/published.md has all steps side by side.',
    );
}

const commandOf = (model: 'coarse' | 'refinement'): CommandBody<TrainArguments> => ({
  builder: (yargs) => trainOptions(yargs, model),
  handler: async (options) => {
    const { trainPublished } = await import('../../runs/trainPublished.js');
    const given = new Map<string, readonly string[]>();
    for (const name of optionNames(model)) {
      const value = (options as unknown as Record<string, unknown>)[kebab(name)];
      if (Array.isArray(value)) given.set(name, value.map(String));
    }
    process.exitCode = await trainPublished(model, given, options);
  },
});

export const trainGlobal = commandOf('coarse');
export const trainLocal = commandOf('refinement');
