import type { CommandModule } from 'yargs';
import { portsAreNumbers } from '../../machine/ports.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface ServeArguments extends GlobalOptions {
  ui: string[];
  host: string;
  port: number;
}

const serve: CommandModule<GlobalOptions, ServeArguments> = {
  command: 'serve',
  describe: 'Decrypt for the pages of the Temporal UI: its address is set there as “codec server endpoint”',
  builder: (yargs) =>
    yargs
      .check(portsAreNumbers)
      .option('ui', {
        type: 'string',
        array: true,
        default: ['http://127.0.0.1:8233'],
        describe: 'Address of the Temporal UI, whose pages may ask; may be repeated',
      })
      .option('host', { type: 'string', default: '127.0.0.1', describe: 'Address to listen on' })
      .option('port', { type: 'number', default: 8234, describe: '0 for any' })
      .example('$0 codec serve --ui https://temporal.example.com', 'Keys: TEMPEH_PAYLOAD_KEYS_FILE'),
  handler: async (options) => {
    const { serveCodec } = await import('../../machine/codec.js');
    process.exitCode = await serveCodec(options);
  },
};

const key: CommandModule<GlobalOptions, GlobalOptions & { id: string | undefined }> = {
  command: 'new-key [id]',
  describe: 'Print a new key, as a line of TEMPEH_PAYLOAD_KEYS_FILE',
  builder: (yargs) =>
    yargs
      .positional('id', { type: 'string', describe: 'Name of the key [default: key- and the date]' })
      .example('$0 codec new-key > keys', 'Then: TEMPEH_PAYLOAD_KEYS_FILE=keys for workers and clients'),
  handler: async ({ id }) => {
    const { newKey } = await import('../../machine/codec.js');
    process.exitCode = newKey(id);
  },
};

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => yargs.command(serve).command(key).demandCommand(1, 'What: serve or new-key?'),
  handler: () => undefined,
};
