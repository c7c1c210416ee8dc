import { withConnectionOptions, type ConnectionOptions } from '../connection.js';
import type { CommandBody, GlobalOptions } from '../command.js';
import type { Steering } from './steer.js';

interface SteeringArguments extends GlobalOptions, ConnectionOptions {
  run: string;
}

export interface SteeringDescription {
  /** What comes of `tempeh-flow NAME famos-1`. */
  readonly example: string;
  readonly epilogue?: string;
}

/** A command line that sends a run one command: `tempeh-flow NAME RUN`. */
export function steeringCommand(
  name: Steering,
  { example, epilogue = '' }: SteeringDescription,
): CommandBody<SteeringArguments> {
  return {
    builder: (yargs) =>
      withConnectionOptions(yargs)
        .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run' })
        .example(`$0 ${name} famos-1`, example)
        .epilogue(epilogue),
    handler: async (options) => {
      const { steer } = await import('./steer.js');
      process.exitCode = await steer(name, options);
    },
  };
}
