import type { Check } from './check.js';
import { checkMachine } from './machine.js';
import { checkServers } from './servers.js';
import { checkTensorflow } from './tensorflow.js';
import { checkTools } from './tools.js';

/** Looks at everything that the program needs on this machine; takes about a second, changes nothing. Never throws. */
export async function runDoctor(): Promise<Check[]> {
  const parts = await Promise.all([
    guarded('Machine', checkMachine),
    guarded('Tools', checkTools),
    guarded('TensorFlow', checkTensorflow),
    guarded('Servers', checkServers),
  ]);
  return parts.flat();
}

/** A check that breaks is a finding too, and hides no other. */
async function guarded(name: string, part: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await part();
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return [
      { name, status: 'missing', found, expected: 'a machine that can be looked at', mend: 'Run `npm run setup`.' },
    ];
  }
}
