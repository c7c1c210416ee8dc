import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled program. */
export const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tempeh-flow` as a user does, in a process of its own. Nothing of the caller's services reaches it. */
export function tempehFlow(args: readonly string[], environment: Record<string, string> = {}): Promise<Finished> {
  const { TEMPORAL_ADDRESS: _address, TEMPORAL_NAMESPACE: _namespace, ...inherited } = process.env;
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...inherited, TEMPEH_DIRECTORY: '/nonexistent', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
