import type { CommandBody, GlobalOptions } from '../command.js';
import { withStoreOptions, type StoreOptions } from '../storeOptions.js';

interface ReportArguments extends GlobalOptions, StoreOptions {
  run: string;
  out: string | undefined;
  open: boolean;
  'gpu-price': number | undefined;
}

export const command: CommandBody<ReportArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run, or of a series of runs' })
      .option('out', { type: 'string', describe: 'File of the page [default: RUN.report.html]' })
      .option('open', { type: 'boolean', default: false, describe: 'Show it in the browser' })
      .option('gpu-price', { type: 'number', describe: 'Price of an hour of a GPU: the page says what training cost' })
      .example('$0 report miniature-20260101 --open', 'A run of npm start or dev: the store is found')
      .example('$0 report famos-1 --out famos-1.html', 'Of a run that TEMPORAL_ADDRESS knows'),
  handler: async (options) => {
    const { report } = await import('../store/report.js');
    process.exitCode = await report({ ...options, gpuPrice: options['gpu-price'] });
  },
};
