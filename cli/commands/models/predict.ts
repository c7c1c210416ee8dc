import type { Argv, CommandModule } from 'yargs';
import type { Precision } from '../../../configs/schema/run.js';
import type { FolderStages } from '../../../inference/folders/job.js';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';
import { overridesOf, withViewOptions, type ViewOptions } from '../../viewOptions.js';

interface PredictArguments extends GlobalOptions, ConnectionOptions, ViewOptions {
  'coarse-model': string | undefined;
  'refinement-model': string | undefined;
  'coarse-predictions': string | undefined;
  list: string;
  images: string;
  calibrations: string;
  out: string;
  'coarse-out': string | undefined;
  'image-extension': string | undefined;
  template: string | undefined;
  config: string | undefined;
  set: string[];
  precision: Precision | undefined;
  strict: boolean;
  'allow-failures': boolean;
  overwrite: boolean;
  local: boolean;
  workflow: boolean;
  name: string | undefined;
  follow: boolean;
  json: boolean;
}

/** The published testing commands' names of our options, in snake case as they have them, and in kebab case. */
const publishedNames = {
  'coarse-model': ['coarse_model_run_dir', 'coarse-model-run-dir'],
  'refinement-model': ['refinement_model_run_dir', 'refinement-model-run-dir'],
  'coarse-predictions': ['coarse_prediction_root_dir', 'coarse-prediction-root-dir'],
  list: ['data_list_fname', 'data-list-fname'],
  images: ['image_directory', 'image-directory'],
  calibrations: ['calibration_directory', 'calibration-directory'],
  out: ['out_dir', 'out-dir'],
  'image-extension': ['image_file_ext', 'image-file-ext'],
} as const;

const model = 'a published run’s folder, a .pth, or a run of ours, RUN[@STEP]';

function predictOptions(yargs: Argv<GlobalOptions>, stages: FolderStages): Argv<PredictArguments> {
  const needed = { type: 'string', demandOption: true } as const;
  const optional = { type: 'string', demandOption: false } as const;
  const named = <T extends keyof typeof publishedNames>(name: T) => ({ alias: [...publishedNames[name]] });
  return withViewOptions(withConnectionOptions(yargs))
    .option('coarse-model', {
      ...(stages === 'refinement' ? { ...optional, hidden: true } : needed),
      ...named('coarse-model'),
      describe: `The coarse model: ${model}`,
    })
    .option('refinement-model', {
      ...(stages === 'coarse' ? { ...optional, hidden: true } : needed),
      ...named('refinement-model'),
      describe: `The refinement model: ${model}`,
    })
    .option('coarse-predictions', {
      ...(stages === 'refinement' ? needed : { ...optional, hidden: true }),
      ...named('coarse-predictions'),
      describe: 'Folder of coarse predictions, S/Q/Q.N.ply in metres',
    })
    .option('list', { ...needed, ...named('list'), describe: 'Data list: JSON of [subject, sequence, frame]' })
    .option('images', { ...needed, ...named('images'), describe: 'Folder of images, S/Q/N/Q.N.CAMERA.png' })
    .option('calibrations', { ...needed, ...named('calibrations'), describe: 'Folder of calibrations, S/Q/CAMERA.tka' })
    .option('out', { ...needed, ...named('out'), describe: 'Folder that gets S/Q/Q.N.ply, in metres' })
    .option('image-extension', {
      ...optional,
      ...named('image-extension'),
      describe: 'Ending of the images’ names, without the dot (the setting dataset.imageExtension) [default: png]',
    })
    .option('coarse-out', {
      ...optional,
      ...(stages === 'both' ? {} : { hidden: true }),
      describe: 'Folder that gets the coarse predictions, too',
    })
    .option('template', {
      ...optional,
      describe: 'Mesh of the models’ topology, .obj, .ply or .npz [default: in the run’s folder, or its data set’s]',
    })
    .option('config', {
      type: 'string',
      describe:
        'Networks of a .pth without config.json; the store of a RUN [default: famos; of a RUN what Temporal knows]',
    })
    .option('set', setOption)
    .option('precision', {
      ...optional,
      choices: ['float32', 'tensorfloat32', 'bfloat16'] satisfies Precision[],
      describe: 'Of the networks’ arithmetic [default: as the model was trained]',
    })
    .option('strict', {
      type: 'boolean',
      default: false,
      describe: 'End with the first frame that cannot be predicted',
    })
    .option('allow-failures', {
      type: 'boolean',
      default: false,
      describe: 'Exit code 0 though some frames could not be predicted (1 otherwise; also where none could)',
    })
    .option('overwrite', { type: 'boolean', default: false, describe: 'Predict frames again that are there' })
    .option('local', {
      type: 'boolean',
      default: false,
      describe: 'In this process: the default, for it needs neither Temporal nor a worker',
    })
    .option('workflow', {
      type: 'boolean',
      default: false,
      describe: 'On all GPU workers, which must see the folders and files under the same paths',
    })
    .option('name', { ...optional, describe: 'Of the workflow [default: made from --out]' })
    .option('follow', { type: 'boolean', default: false, describe: 'Watch the workflow until it ends' })
    .option('json', { type: 'boolean', default: false, describe: 'Print what was done as JSON, nothing else' })
    .example(examples[stages], '')
    .example(`$0 predict ${stages} … --workflow --follow`, 'The same, its frames shared out among the GPU workers')
    .epilogue(
      'The option names of the published testing commands work as well. Interrupted, the same command goes on; a workflow also by tempeh-flow resume NAME.',
    );
}

const places = '--list frames.json --images images --calibrations calibrations';
const examples: Readonly<Record<FolderStages, string>> = {
  coarse: `$0 predict coarse --coarse-model runs/coarse ${places} --out coarse`,
  refinement: `$0 predict refinement --refinement-model runs/refinement --coarse-predictions coarse ${places} --out refined`,
  both: `$0 predict both --coarse-model runs/coarse --refinement-model runs/refinement ${places} --out refined`,
};

const descriptions: Readonly<Record<FolderStages, string>> = {
  coarse: 'Images to meshes, by the coarse model',
  refinement: 'Images and coarse meshes to refined meshes',
  both: 'Images to refined meshes, through both models',
};

/** With a dot or without, as people write it. */
function extensionOf({ 'image-extension': extension }: PredictArguments): string[] {
  return extension === undefined ? [] : [`dataset.imageExtension=${extension.replace(/^\./, '')}`];
}

const commandOf = (stages: FolderStages): CommandModule<GlobalOptions, PredictArguments> => ({
  command: stages,
  describe: descriptions[stages],
  builder: (yargs) => predictOptions(yargs, stages),
  handler: async (options) => {
    const { predict } = await import('../../predict/predict.js');
    process.exitCode = await predict(stages, {
      ...options,
      set: [...overridesOf(options), ...extensionOf(options)],
      coarseModel: options['coarse-model'],
      refinementModel: options['refinement-model'],
      coarsePredictions: options['coarse-predictions'],
      coarseOut: options['coarse-out'],
      allowFailures: options['allow-failures'],
    });
  },
});

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => {
    let all: Argv<GlobalOptions> = yargs;
    for (const stages of ['coarse', 'refinement', 'both'] as const) all = all.command(commandOf(stages));
    return all.demandCommand(1, 'Predict what: coarse, refinement or both?');
  },
  handler: () => undefined,
};
