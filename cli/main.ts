import { buildProgram } from './program.js';
import { describeError, exitCodeOf } from './errors.js';
import { exitCodes } from './exitCodes.js';
import { styled } from './terminal/terminal.js';

/**
 * Runs the command line.
 *
 * @param args what follows `tempeh-flow`.
 * @returns the exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  const verbose = args.includes('--verbose');
  try {
    await buildProgram(args).parseAsync();
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    const code = exitCodeOf(error);
    const name = code === exitCodes.interrupted ? '' : styled('red', 'error: ', process.stderr);
    process.stderr.write(`${name}${describeError(error, verbose)}\n`);
    return code;
  }
}

// A notice of the AWS SDK about its own plans; the Node versions that we support are in package.json.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
// Pipes that are closed early (`tempeh-flow list | head`) end the command, without a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
// What a failed worker left open must not keep its process: whoever supervises it waits for its end.
setTimeout(() => process.exit(), 3000).unref();
