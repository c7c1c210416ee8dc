import { totalmem } from 'node:os';
import { runsOnGpu } from './engine.js';

/** Bytes, which a GPU's worker says, or whoever owns the machine; and how many processes share it. */
const [memoryVariable, slotsVariable] = ['TEMPEH_DEVICE_MEMORY', 'TEMPEH_SLOTS'];

/**
 * Bytes of memory that there are for what this process computes: what the environment says, else the GPU's, or the share of
 * the machine's (of its container's, where that has a limit). null where nothing is known of a GPU's.
 */
export function deviceMemory(environment: NodeJS.ProcessEnv = process.env): number | null {
  const said = numberOf(environment[memoryVariable]);
  if (said !== null || runsOnGpu()) return said;
  const limit = process.constrainedMemory();
  // Without a limit it is 0, or more than any machine has.
  const machine = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return machine / Math.max(1, numberOf(environment[slotsVariable]) ?? 1);
}

function numberOf(text: string | undefined): number | null {
  const number = Number(text ?? Number.NaN);
  return Number.isFinite(number) && number > 0 ? number : null;
}
