import type { Argv, CommandModule } from 'yargs';
import { withConnectionOptions, type ConnectionOptions } from '../../connection.js';
import type { CommandBody, GlobalOptions } from '../../command.js';
import { setOption } from '../../setOption.js';

interface FetchArguments extends GlobalOptions, ConnectionOptions {
  directory: string;
  host: string | undefined;
  'password-in-clear': boolean;
  'at-once': number;
  checksums: string | undefined;
  'delete-volumes': boolean;
  store: boolean;
  config: string;
  set: string[];
  name: string | undefined;
  local: boolean;
  follow: boolean;
  images?: boolean;
  scans?: boolean;
  registrations?: boolean;
}

/** Names of `datasets/published.yaml`; given here as well, for help must not read it. */
const downloads = {
  models: 'The published weights of both stages (1.3 GB)',
  'test-subset': 'A few frames of the test subjects: images, calibrations, list',
  'test-data': 'The test set: images, calibrations, scans, list (18 GB)',
  'test-sequences': 'Whole sequences of test subjects: images, calibrations, list',
  'training-data': 'Images (194 GB), scans (205 GB), registrations (86 GB), calibrations, lists',
} as const;

function fetchOptions<T>(yargs: Argv<T>, what: keyof typeof downloads) {
  const more = what === 'training-data' ? ' --images --registrations' : '';
  const options = withConnectionOptions(yargs)
    .option('directory', {
      type: 'string',
      default: '.',
      describe: 'Receives data/ and runs/; on a data worker, a path from its own folder',
    })
    .option('local', { type: 'boolean', default: false, describe: 'In this process, without Temporal' })
    .option('follow', { type: 'boolean', default: false, describe: 'Watch it until it ends' })
    .option('store', { type: 'boolean', default: false, describe: 'Go on into the object store of --config, packed' })
    .option('config', { type: 'string', default: 'famos', describe: 'Names the object store (for --store)' })
    .option('set', { ...setOption, describe: 'Override a setting of --config: path=value; may be repeated' })
    .option('name', { type: 'string', describe: `Of the data set in the object store [default: ${what}]` })
    .option('host', { type: 'string', describe: 'Another host than the published one: https://…/download.php' })
    .option('password-in-clear', {
      type: 'boolean',
      default: false,
      describe: 'Ask --host by plain http though it is another machine: everybody on the way can read the password',
    })
    .option('at-once', { type: 'number', default: 4, describe: 'Volumes that are fetched at a time' })
    .option('checksums', { type: 'string', describe: 'Known SHA-256 of volumes, as sha256sum writes them' })
    .option('delete-volumes', {
      type: 'boolean',
      default: false,
      describe: 'Delete volumes once what they hold is extracted (with --store: packed)',
    })
    .example(`$0 fetch ${what}${more} --local`, 'Into data/ (models: runs/) here; interrupted, it goes on')
    .example(`$0 fetch ${what}${more} --follow`, 'The same as a workflow, on a data worker')
    .example(`$0 fetch ${what}${more} --store --set storage.bucket=NAME`, 'On into the object store')
    .epilogue(
      'TEMPEH_USERNAME and TEMPEH_PASSWORD, or TEMPEH_USERNAME_FILE and TEMPEH_PASSWORD_FILE, of the data worker or (with --local) of this process; at a terminal, --local asks for them.',
    );
  if (what !== 'training-data') return options;
  const part = (name: string) =>
    ({ type: 'boolean', default: false, describe: `Only ${name}, and other parts named` }) as const;
  return options
    .option('images', part('images'))
    .option('scans', part('scans'))
    .option('registrations', part('registrations'));
}

const commandOf = (what: keyof typeof downloads): CommandModule<GlobalOptions, FetchArguments> => ({
  command: what,
  describe: downloads[what],
  builder: (yargs) => fetchOptions(yargs, what),
  handler: async ({ images, scans, registrations, ...options }) => {
    const { fetchData } = await import('../../fetching/fetch.js');
    const asked = { images, scans, registrations };
    const parts = (['images', 'scans', 'registrations'] as const).filter((part) => asked[part]);
    const { 'at-once': atOnce, 'delete-volumes': deleteVolumes, 'password-in-clear': passwordInClear } = options;
    process.exitCode = await fetchData({ ...options, what, parts, atOnce, deleteVolumes, passwordInClear });
  },
});

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => {
    let all: Argv<GlobalOptions> = yargs;
    for (const what of Object.keys(downloads) as (keyof typeof downloads)[]) all = all.command(commandOf(what));
    return all.demandCommand(1, 'Fetch what?');
  },
  handler: () => undefined,
};
