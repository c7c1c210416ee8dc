import type { CommandBody, GlobalOptions } from '../../command.js';
import { withStoreOptions, type StoreOptions } from '../../storeOptions.js';

interface ExportArguments extends GlobalOptions, StoreOptions {
  checkpoint: string;
  file: string;
}

export const command: CommandBody<ExportArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
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
      .example('$0 export-checkpoint famos-1/coarse .', 'model_00800000.pth')
      .example('$0 export-checkpoint famos-1/coarse@300000 pretrained.pth --config mine.yaml', ''),
  handler: async (options) => {
    const { exportCheckpoint } = await import('../../store/publishedCheckpoints.js');
    process.exitCode = await exportCheckpoint(options);
  },
};
