import { withStoreOptions, type StoreOptions } from '../../storeOptions.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface EventsArguments extends GlobalOptions, StoreOptions {
  run: string;
  folder: string;
}

export const command: CommandBody<EventsArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .positional('folder', {
        type: 'string',
        demandOption: true,
        describe: 'Gets a folder a stage, and one for the evaluation',
      })
      .example('$0 events famos-1 famos-1-events', 'For importers, or a TensorBoard of your own; again: what is new'),
  handler: async (options) => {
    const { writeEvents } = await import('../../tensorboard/writeEvents.js');
    process.exitCode = await writeEvents(options);
  },
};
