import type { CommandBody, GlobalOptions } from '../command.js';
import { setOption } from '../setOption.js';

interface ReportArguments extends GlobalOptions {
  run: string;
  out: string | undefined;
  open: boolean;
  config: string;
  set: string[];
}

export const command: CommandBody<ReportArguments> = {
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .option('out', { type: 'string', describe: 'File of the page [default: RUN.report.html]' })
      .option('open', { type: 'boolean', default: false, describe: 'Show it in the browser' })
      .option('config', { type: 'string', default: 'famos', describe: 'Says where the object store is' })
      .option('set', setOption)
      .example('$0 report miniature-20260101 --open', 'A run of npm start or dev: the store is found')
      .example('$0 report famos-1 --set storage.bucket=NAME --out famos-1.html', 'Of a run elsewhere'),
  handler: async (options) => {
    const { report } = await import('../store/report.js');
    process.exitCode = await report(options);
  },
};
