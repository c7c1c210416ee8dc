/**
 * `tempeh-flow`, for test/support/commandLine.ts: one command line after the other, without the second that loading takes.
 * What a command prints goes to this process's own outputs; a mark follows on each when it has ended.
 */
import { runCommandLine } from '../../cli/runCommandLine.js';
import { outliveReaders } from '../../workers/lifecycle/lostReaders.js';
import { endMark, type CommandLine } from './commandLine.js';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
outliveReaders();
process.on('message', ({ args, environment }: CommandLine) => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  process.exitCode = undefined;
  void runCommandLine(args).then((code) => {
    process.exitCode = undefined;
    process.stdout.write(endMark);
    process.stderr.write(endMark);
    process.send?.(code);
  });
});
process.on('disconnect', () => process.exit());
