import type { CommandBody, GlobalOptions } from '../../command.js';
import { withStoreOptions, type StoreOptions } from '../../storeOptions.js';

interface EvaluateArguments extends GlobalOptions, StoreOptions {
  run: string | undefined;
  predictions: string[];
  scans: string | undefined;
  list: string | undefined;
  masks: string | undefined;
  registrations: string | undefined;
  out: string;
  json: boolean;
  'allow-failures': boolean;
}

export const command: CommandBody<EvaluateArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
      .positional('run', { type: 'string', describe: 'A run in the object store, or a series of runs; else folders' })
      .option('predictions', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'DIR, or NAME=DIR: S/Q/Q.N.ply in metres; repeated, they are compared',
      })
      .option('scans', { type: 'string', describe: 'Folder of scans in mm: S/Q/Q.N.npy, .ply or .obj' })
      .option('list', {
        type: 'string',
        alias: ['data_list_fname', 'data-list-fname'],
        describe: 'Data list [default: all frames of the first --predictions]',
      })
      .option('masks', { type: 'string', describe: 'Vertex masks (.npz): errors by region' })
      .option('registrations', { type: 'string', describe: 'Folder of registrations: distances of vertices, too' })
      .option('out', { type: 'string', demandOption: true, describe: 'Folder for JSON, CSV, pictures, report.html' })
      .option('json', { type: 'boolean', default: false, describe: 'Print the figures as JSON, nothing else' })
      .option('allow-failures', {
        type: 'boolean',
        default: false,
        describe: 'Exit code 0 though some frames could not be measured (1 otherwise; also where none could)',
      })
      .example('$0 evaluate --predictions refined --scans scans --masks vertex_masks2.npz --out evaluation', '')
      .example('$0 evaluate famos-1 --out evaluation', '')
      .example('$0 evaluate repeats --out evaluation', 'Of start … --seeds 3 --run repeats: each, mean and spread'),
  handler: async (options) => {
    const { evaluate } = await import('../../store/evaluate.js');
    process.exitCode = await evaluate({ ...options, allowFailures: options['allow-failures'] });
  },
};
