import { buildProgram } from './program.js';
import { describeError, exitCodeOf } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { styled } from './terminal/terminal.js';

/**
 * Runs a command line in this process. Errors are printed.
 *
 * @param args what follows `tempeh-flow`.
 * @returns the exit code.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const verbose = args.includes('--verbose');
  try {
    await (await buildProgram(args)).parseAsync();
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    const code = exitCodeOf(error);
    const name = code === exitCodes.interrupted ? '' : styled('red', 'error: ', process.stderr);
    process.stderr.write(`${name}${describeError(error, verbose)}\n`);
    return code;
  }
}
