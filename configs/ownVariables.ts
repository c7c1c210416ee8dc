import { didYouMean, suggest } from './reading/suggestions.js';

/** Variables of the environment that we read; a test compares them with what the program's text names. */
export const ownVariables: readonly string[] = [
  'TEMPEH_CACHE',
  'TEMPEH_DEVICE_MEMORY',
  'TEMPEH_DIRECTORY',
  'TEMPEH_FOLDERS',
  'TEMPEH_FRAME_CACHE',
  'TEMPEH_FRAME_CACHE_BYTES',
  'TEMPEH_GRACE_SECONDS',
  'TEMPEH_HOST',
  'TEMPEH_HOSTS_FILE',
  'TEMPEH_LOG_LEVEL',
  'TEMPEH_NOTICE_COMMAND',
  'TEMPEH_NOTICE_KINDS',
  'TEMPEH_NOTICE_URL',
  'TEMPEH_NOTICE_URL_FILE',
  'TEMPEH_PASSWORD',
  'TEMPEH_PASSWORD_FILE',
  'TEMPEH_PAYLOAD_KEYS',
  'TEMPEH_PAYLOAD_KEYS_FILE',
  'TEMPEH_QUEUE_PREFIX',
  'TEMPEH_SLOTS',
  'TEMPEH_STORES',
  'TEMPEH_USERNAME',
  'TEMPEH_USERNAME_FILE',
  'TEMPEH_VECTORS',
];

/** Set by us for processes of our own, by the benches, and by the tests. */
const internal = /^TEMPEH_(ACTIVATIONS|LOG_CONTEXT|BENCH_DIRECTORY|RECORD|TEST_\w+)$/;

/** What Kubernetes tells every container of services, here of those whose names begin with `tempeh-`. */
const ofServices = /^TEMPEH_(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_\w+)$/;

/** A line for each variable that has our prefix and that nothing reads: a slip of the pen is not silent. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(environment)
    .filter((name) => /^TEMPEH_/.test(name) && !ownVariables.includes(name))
    .filter((name) => !internal.test(name) && !ofServices.test(name))
    .map(
      (name) =>
        `${name} is set, and nothing reads a variable of that name.${didYouMean(suggest(name, ownVariables, 1))}`,
    );
}
