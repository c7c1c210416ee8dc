import type { CommandBody, GlobalOptions } from '../../command.js';
import { withStoreOptions, type StoreOptions } from '../../storeOptions.js';

interface LogsArguments extends GlobalOptions, StoreOptions {
  run: string;
  step: string | undefined;
  attempt: number | undefined;
  follow: boolean;
  json: boolean;
}

export const command: CommandBody<LogsArguments> = {
  builder: (yargs) =>
    withStoreOptions(yargs)
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
      .positional('step', { type: 'string', describe: 'One step only: coarse-pretraining, …, evaluation' })
      .option('attempt', { type: 'number', describe: 'One attempt at the step only, from 1; negative: from the last' })
      .option('follow', { type: 'boolean', default: false, describe: 'Go on with what comes, until Ctrl-C' })
      .option('json', { type: 'boolean', default: false, describe: 'The lines as they are: JSON, one an event' })
      .example('$0 logs famos-1', 'Of all steps and attempts, oldest first')
      .example('$0 logs famos-1 refinement --attempt -1 --follow', 'What the last attempt does')
      .example('$0 logs famos-1 --json | jq \'select(.level == "error")\'', 'For programs'),
  handler: async (options) => {
    const { logs } = await import('../../logs/logs.js');
    process.exitCode = await logs(options);
  },
};
