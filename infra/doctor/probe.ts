import { execFile } from 'node:child_process';

/** What a program printed. */
export interface Probe {
  readonly ran: boolean;
  /** Its output; if it did not run or failed, why. */
  readonly text: string;
}

/**
 * Runs a program to see whether it works: never throws.
 *
 * @param seconds it has until it is ended
 */
export function probe(
  program: string,
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  seconds = 30,
): Promise<Probe> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, timeout: seconds * 1000, encoding: 'utf8' as const };
    execFile(program, [...commandArguments], options, (error, stdout, stderr) => {
      if (!error) return resolve({ ran: true, text: (stdout.trim() || stderr.trim()).trim() });
      if (error.code === 'ENOENT') return resolve({ ran: false, text: 'not found' });
      const lines = `${stderr}\n${stdout}`.trim().split('\n');
      const reason = lines.at(-1) || error.message.split('\n')[0] || 'failed';
      resolve({ ran: false, text: error.killed ? `no answer within ${seconds} s` : reason });
    });
  });
}
