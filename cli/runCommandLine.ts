import { unknownVariables } from '../configs/ownVariables.js';
import { printable } from '../text/printable.js';
import { buildProgram } from './program.js';
import { describeError, exitCodeOf } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { beginAnswer, endAnswer } from './terminal/print.js';
import { styled } from './terminal/terminal.js';

/** Commands that run until they are stopped: what they print is a log, under `--json` too. */
const unending = ['quickstart', 'worker', 'dev', 'tensorboard', 'codec'];

function isForPrograms(args: readonly string[]): boolean {
  const wanted = args.includes('--json') && !args.some((arg) => ['--help', '-h', '--version'].includes(arg));
  return wanted && !unending.includes(args[0] ?? '');
}

/**
 * Runs a command line in this process. Errors are printed; with `--json` what it says is one object (docs/operating.md).
 *
 * @param args what follows `tempeh-flow`.
 * @returns the exit code.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const verbose = args.includes('--verbose');
  beginAnswer(isForPrograms(args));
  for (const line of unknownVariables(process.env))
    process.stderr.write(`${styled('yellow', 'warning: ', process.stderr)}${printable(line)}\n`);
  try {
    await (await buildProgram(args)).parseAsync();
    const code = Number(process.exitCode ?? exitCodes.ok);
    endAnswer(code, null);
    return code;
  } catch (error) {
    const code = exitCodeOf(error);
    const told = describeError(error, verbose);
    endAnswer(code, told);
    const name = code === exitCodes.interrupted ? '' : styled('red', 'error: ', process.stderr);
    process.stderr.write(`${name}${told}\n`);
    return code;
  }
}
