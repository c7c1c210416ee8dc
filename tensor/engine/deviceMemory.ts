import { totalmem } from 'node:os';
import { runsOnGpu } from './engine.js';

/** Bytes, which a GPU's worker says, or whoever owns the machine. */
const memoryVariable = 'TEMPEH_DEVICE_MEMORY';

/**
 * Bytes of memory that there are for what this process computes: what the environment says, else the machine's (its
 * container's, where that has a limit). null where nothing is known of a GPU's.
 */
export function deviceMemory(environment: NodeJS.ProcessEnv = process.env): number | null {
  const said = Number(environment[memoryVariable] ?? Number.NaN);
  if (Number.isFinite(said) && said > 0) return said;
  if (runsOnGpu()) return null;
  const limit = process.constrainedMemory();
  // Without a limit it is 0, or more than any machine has.
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
