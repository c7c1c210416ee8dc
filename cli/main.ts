import { lostOutput, outliveReaders } from '../workers/lifecycle/lostReaders.js';
import { exitCodes } from './exitCodes.js';
import { runCommandLine } from './runCommandLine.js';

/** Commands whose work is what they print; of the others it is a log. */
const printing = ['config', 'list', 'logs', 'status', 'doctor', 'deployment', 'dataset', 'completion'];

/** Those that only ask Temporal, and are to be quick. */
const asking = ['list', 'status'];

/** Whether what was to be printed is lost. A reader of a pipe that has ended (`tempeh-flow list | head`) wanted no more. */
function lostResult(args: readonly string[]): boolean {
  if (!printing.includes(args[0] ?? '') && !args.includes('--json')) return false;
  const why = lostOutput();
  if (why === null || why === 'EPIPE') return false;
  process.stderr.write(`Standard output cannot be written to (${why}): what this command prints is not complete.\n`);
  return true;
}

// A notice of the AWS SDK about its own plans; the Node versions that we support are in package.json.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
outliveReaders();
const args = process.argv.slice(2);
// Before anything is loaded that loads Temporal's client.
if (asking.includes(args[0] ?? '')) (await import('../client/readingProtocol.js')).knowOnlyWhatAsks();
const code = await runCommandLine(args);
// That something could not be written shows a little later than it was printed.
await new Promise(setImmediate);
process.exitCode = code === exitCodes.ok && lostResult(args) ? exitCodes.failed : code;
// What a failed worker left open must not keep its process: whoever supervises it waits for its end.
setTimeout(() => process.exit(), 3000).unref();
