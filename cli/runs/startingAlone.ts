import type { RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import { withLease } from '../../storage/lease.js';
import { openStore } from '../../storage/openStore.js';
import { printable } from '../../text/printable.js';
import { useLocalObjectStore } from '../connection.js';

/**
 * Starts runs, what they start from being written first, while nobody else starts one of these names: in a run's store lies what the
 * start has put there that Temporal took. Who comes second finds the run running.
 *
 * @param runs those of which something is written; none: the store is not asked.
 * @param start looks whether they run, writes, and starts them.
 */
export async function startingAlone<T>(
  { storage }: RunConfiguration,
  runs: readonly string[],
  start: () => Promise<T>,
): Promise<T> {
  if (runs.length === 0) return start();
  useLocalObjectStore();
  const store = openStore(storage);
  // In an order that all have, so that two never wait for each other.
  const inOrder = [...new Set(runs)].sort();
  const held = inOrder.reduceRight((inner, run) => {
    const onWait = (holder: string): void => {
      process.stderr.write(
        `${run} is just being started (${printable(holder)}): waiting for that. Ctrl-C ends the waiting.\n`,
      );
    };
    return () => withLease(store, keys.starting(run), { onWait }, inner);
  }, start);
  return held();
}
