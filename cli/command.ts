import type { CommandModule } from 'yargs';

/** What every command takes. */
export interface GlobalOptions {
  verbose: boolean;
  json: boolean;
}

/** What the file of a command says; its words and its description stand in the table of commands. */
export type CommandBody<Arguments> = Pick<CommandModule<GlobalOptions, Arguments>, 'builder' | 'handler'>;
