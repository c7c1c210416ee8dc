import { ConfigurationError } from './configurationError.js';

/** How the seconds are shared out that a worker has from the signal that stops it to its end. */
export interface Grace {
  /** In which a trainer saves. */
  readonly saveSeconds: number;
  /** After which a trainer or predictor that has not ended is killed. */
  readonly killSeconds: number;
  /** After which the SDK's workers give up what is left. */
  readonly forceSeconds: number;
  /** After which the process ends, whatever is left. */
  readonly endSeconds: number;
}

/** The variable by which a worker and its child processes know it. */
export const graceVariable = 'TEMPEH_GRACE_SECONDS';

const least = 5;
/** A day. Node's clocks end after 24 days, and then fire at once. */
const most = 86_400;

/**
 * The grace that a worker was given (`--grace`, or TEMPEH_GRACE_SECONDS); null where it was given none: then that of the
 * run's configuration counts.
 *
 * @throws ConfigurationError for what is no number of seconds, 5 to 86,400.
 */
export function graceOf(given: string | undefined = process.env[graceVariable]): Grace | null {
  if (given === undefined || given === '') return null;
  const seconds = Number(given);
  if (!(Number.isFinite(seconds) && seconds >= least && seconds <= most)) {
    const expected = `expected a number of seconds, ${least} to ${most}`;
    throw new ConfigurationError([{ where: `--grace or ${graceVariable}`, setting: 'grace', found: given, expected }]);
  }
  // A process has to be asked, to end, and its end to be reported: of a short grace a sixth each time.
  const margin = Math.min(3, seconds / 6);
  return {
    saveSeconds: seconds - 2 * margin,
    killSeconds: seconds - margin,
    forceSeconds: seconds - margin / 2,
    endSeconds: seconds,
  };
}
