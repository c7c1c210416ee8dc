import { ConfigurationError } from './configurationError.js';

/** Bytes of memory that what computes may take: a GPU's worker says it, or whoever owns the machine. */
export const deviceMemoryVariable = 'TEMPEH_DEVICE_MEMORY';

/** @throws ConfigurationError where the environment names something else than bytes above 0. */
export function checkDeviceMemory(environment: NodeJS.ProcessEnv = process.env): void {
  const said = environment[deviceMemoryVariable];
  if (said === undefined || said === '') return;
  const bytes = Number(said);
  if (Number.isSafeInteger(bytes) && bytes > 0) return;
  throw new ConfigurationError([
    { where: deviceMemoryVariable, setting: '', found: said, expected: 'expected bytes above 0: 150000000000' },
  ]);
}
