import { portsAreNumbers } from '../../machine/ports.js';
import type { CommandBody, GlobalOptions } from '../../command.js';

interface DevArguments extends GlobalOptions {
  directory: string | undefined;
  'temporal-port': number | undefined;
  'ui-port': number | undefined;
  's3-port': number | undefined;
  bucket: string;
}

export const command: CommandBody<DevArguments> = {
  builder: (yargs) =>
    yargs
      .check(portsAreNumbers)
      .option('directory', { type: 'string', describe: 'Folder of their data [default: .tempeh, as npm start uses]' })
      .option('temporal-port', {
        type: 'number',
        describe: 'Preferred; another if it is taken [default: the last, or 7233]',
      })
      .option('ui-port', { type: 'number', describe: 'Of the Temporal UI [default: the last, or 8233]' })
      .option('s3-port', { type: 'number', describe: 'Of the S3 server [default: the last, or 9000]' })
      .option('bucket', { type: 'string', default: 'tempeh', describe: 'Made if it is not there' })
      .example('$0 dev', 'Look at what npm start left: Temporal UI, bucket')
      .example('$0 dev --directory /data/tempeh --s3-port 9100', 'Other folders and ports'),
  handler: async (options) => {
    const { dev } = await import('../../machine/dev.js');
    process.exitCode = await dev({
      directory: options.directory,
      temporalPort: options['temporal-port'],
      uiPort: options['ui-port'],
      s3Port: options['s3-port'],
      bucket: options.bucket,
    });
  },
};
