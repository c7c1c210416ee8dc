import type { Argv, CommandModule } from 'yargs';
import type { CommandBody, GlobalOptions } from '../../command.js';
import type { CheckArguments, ConvertArguments, DatasetArguments, ShowArguments } from '../../dataset/arguments.js';
import { setOption } from '../../setOption.js';
import { withStoreOptions } from '../../storeOptions.js';
import { overridesOf, withViewOptions } from '../../viewOptions.js';

function datasetOptions<T>(yargs: Argv<T>): Argv<T & Omit<DatasetArguments, keyof GlobalOptions>> {
  return withViewOptions(
    withStoreOptions(
      yargs,
      'YAML file, or miniature, workshop or famos: object store, data set, layout, kind of views, volume [default: famos; with --run that run’s]',
    ),
  )
    .option('run', { type: 'string', describe: 'The data set of a run, by the configuration that is stored with it' })
    .option('directory', {
      type: 'string',
      describe: 'A folder in FaMoS layout (dataset.layout) in place of the packed data set',
    });
}

function configurationOptions<T>(yargs: Argv<T>): Argv<T & { config: string; set: string[] }> {
  return yargs
    .option('config', {
      type: 'string',
      default: 'famos',
      describe: 'YAML file, or miniature, workshop or famos: object store, data set, layout, kind of views, volume',
    })
    .option('set', setOption);
}

const check: CommandModule<GlobalOptions, CheckArguments> = {
  command: 'check',
  describe: 'Check a data set: counts, missing parts, frames whole, calibrations; exit code 1 if it is unusable',
  builder: (yargs) =>
    datasetOptions(yargs)
      .option('sample', { type: 'number', default: 20, describe: 'Frames that are read whole, spread over all' })
      .option('all', { type: 'boolean', default: false, describe: 'Read every frame whole' })
      .example('$0 dataset check --set storage.bucket=NAME', 'The packed data set')
      .example('$0 dataset check --config mine.yaml --directory /data/rig --all', 'A folder, every frame'),
  handler: async (options) => {
    const { check: run } = await import('../../dataset/check.js');
    process.exitCode = await run({ ...options, set: overridesOf(options) });
  },
};

const show: CommandModule<GlobalOptions, ShowArguments> = {
  command: 'show',
  describe: 'Draw frames (views, registration over them) and the rig, as PNG',
  builder: (yargs) =>
    datasetOptions(yargs)
      .option('frames', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'SUBJECT/SEQUENCE/FRAME; may be repeated [default: a few, spread over all]',
      })
      .option('sample', { type: 'number', default: 4, describe: 'Frames, where none are named' })
      .option('output', { type: 'string', default: '.', describe: 'Folder for contact-sheet.png and rig.png' })
      .example('$0 dataset show --config mine.yaml --directory /data/rig --output pictures', ''),
  handler: async (options) => {
    const { show: run } = await import('../../dataset/show.js');
    process.exitCode = await run({ ...options, set: overridesOf(options) });
  },
};

const convert: CommandModule<GlobalOptions, ConvertArguments> = {
  command: 'convert-calibrations <files..>',
  describe: "Convert an own rig's calibrations (OpenCV, COLMAP, Metashape, Kalibr, …) into .tka files",
  builder: (yargs) =>
    configurationOptions(yargs)
      .positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe:
          'Calibration files of OpenCV, CMU Panoptic, Kalibr, Metashape, transforms.json; folders of COLMAP models',
      })
      .option('output', { type: 'string', demandOption: true, describe: 'Folder for the .tka files' })
      .option('list', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'Data list (JSON): writes OUTPUT/SUBJECT/SEQUENCE/*.tka for each of its sequences; may be repeated',
      })
      .option('units', {
        choices: ['mm', 'cm', 'm'] as const,
        describe: 'Of translations, where the file does not say',
      })
      .option('scale', {
        type: 'number',
        conflicts: 'units',
        describe: 'Millimetres a unit of translations, in place of --units (COLMAP, transforms.json)',
      })
      .option('extrinsics', {
        choices: ['world-to-camera', 'camera-to-world'] as const,
        describe: 'What rotation and translation do, where the file does not say (OpenCV: world-to-camera)',
      })
      .option('image-size', { type: 'string', describe: 'WIDTHxHEIGHT in px, where the file does not say' })
      .option('origin', {
        type: 'number',
        array: true,
        nargs: 3,
        describe: "The point, mm, that becomes the world's origin: where heads are",
      })
      .option('axes', {
        type: 'string',
        default: 'x,y,z',
        describe: 'Which axes of the old world become x (left of the face), y (up), z (where it looks): x,-z,y',
      })
      .option('align', {
        type: 'string',
        conflicts: ['units', 'scale', 'origin'],
        describe: "File with a matrix of 4×4 numbers that takes points of the files' world to that of the scans, in mm",
      })
      .option('undistorted', {
        type: 'boolean',
        default: false,
        describe: 'The images are undistorted, to the same camera matrix: distortion coefficients are left out',
      })
      .option('camera-name', {
        type: 'string',
        describe: "Pattern whose first group is a camera's name in its image's path, as '([^/]+)/[^/]*$'",
      })
      .option('ignore', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'Leave a field of the files out; may be repeated',
      })
      .option('accept-residual', {
        type: 'number',
        default: 1,
        describe: 'Largest error of the conversion, px of the full resolution',
      })
      .example(
        '$0 dataset convert-calibrations rig/*.yml --units m --extrinsics world-to-camera --output calibrations',
        '',
      ),
  handler: async (options) => {
    const { convertCalibrations } = await import('../../dataset/convertCalibrations.js');
    process.exitCode = await convertCalibrations(options);
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) =>
    yargs.command(check).command(show).command(convert).demandCommand(1, 'Which: check, show or convert-calibrations?'),
  handler: () => undefined,
};
