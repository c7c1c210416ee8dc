import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface ExportArguments extends GlobalOptions {
  checkpoint: string;
  file: string;
  config: string;
  set: string[];
}

export const command: CommandBody<ExportArguments> = {
  builder: (yargs) =>
    yargs
      .positional('checkpoint', {
        type: 'string',
        demandOption: true,
        describe: 'RUN/coarse or RUN/refinement; the newest, or that of RUN/STAGE@STEP',
      })
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'File, or folder: then model_STEP.pth in it',
      })
      .option('config', { type: 'string', default: 'famos', describe: 'Says where the object store is' })
      .option('set', setOption)
      .example('$0 export-checkpoint famos-1/coarse . --set storage.bucket=NAME', 'model_00800000.pth')
      .example('$0 export-checkpoint famos-1/coarse@300000 pretrained.pth --config mine.yaml', ''),
  handler: async (options) => {
    const { exportCheckpoint } = await import('../../store/publishedCheckpoints.js');
    process.exitCode = await exportCheckpoint(options);
  },
};
