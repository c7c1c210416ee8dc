import yargs, { type Argv } from 'yargs';
import { didYouMean, suggest } from '../configs/reading/suggestions.js';
import { command as cancel } from './commands/runs/cancel.js';
import { command as codec } from './commands/cluster/codec.js';
import { command as config } from './commands/config.js';
import { command as dataset } from './commands/data/dataset.js';
import { command as deployment } from './commands/cluster/deployment.js';
import { command as dev } from './commands/machine/dev.js';
import { command as doctor } from './commands/machine/doctor.js';
import { command as evaluate } from './commands/models/evaluate.js';
import { command as extend } from './commands/runs/extend.js';
import { command as exportCheckpoint } from './commands/models/exportCheckpoint.js';
import { command as fetch } from './commands/data/fetch.js';
import { command as importCheckpoint } from './commands/models/importCheckpoint.js';
import { command as list } from './commands/runs/list.js';
import { command as namespace } from './commands/cluster/namespace.js';
import { command as pause } from './commands/runs/pause.js';
import { command as predict } from './commands/models/predict.js';
import { command as quickstart } from './commands/machine/quickstart.js';
import { command as repair } from './commands/runs/repair.js';
import { command as report } from './commands/report.js';
import { command as resume } from './commands/runs/resume.js';
import { command as retry } from './commands/runs/retry.js';
import { command as start } from './commands/runs/start.js';
import { command as status } from './commands/runs/status.js';
import { command as tensorboard } from './commands/machine/tensorboard.js';
import { trainGlobal, trainLocal } from './commands/models/trainPublished.js';
import { command as unpause } from './commands/runs/unpause.js';
import { command as worker } from './commands/cluster/worker.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';

/** What every command takes. */
export interface GlobalOptions {
  verbose: boolean;
}

/** The command line. Commands are a file each; what they do is imported when they run, so that `--help` is quick. */
export function buildProgram(args: readonly string[]): Argv<GlobalOptions> {
  return yargs([...args])
    .scriptName('tempeh-flow')
    .usage('$0 COMMAND\n\nTrains TEMPEH, multi-view head capture in a fixed topology, on Temporal and TensorFlow.')
    .option('verbose', { type: 'boolean', default: false, describe: 'Show stack traces', global: true })
    .command(quickstart)
    .command(start)
    .command(trainGlobal)
    .command(trainLocal)
    .command(status)
    .command(list)
    .command(resume)
    .command(retry)
    .command(repair)
    .command(report)
    .command(extend)
    .command(cancel)
    .command(pause)
    .command(unpause)
    .command(worker)
    .command(deployment)
    .command(namespace)
    .command(codec)
    .command(fetch)
    .command(dev)
    .command(doctor)
    .command(tensorboard)
    .command(config)
    .command(predict)
    .command(evaluate)
    .command(dataset)
    .command(importCheckpoint)
    .command(exportCheckpoint)
    .completion('completion', 'Print a script for completion in bash or zsh')
    .example('npm start', 'Everything on a miniature, on this machine')
    .example('$0 start full-training --config famos --set storage.bucket=NAME', 'Train at paper scale')
    .example('$0 status RUN --follow', 'Watch a run')
    .epilogue(
      'Exit codes: 0 success; 1 a run, step or check failed; 2 wrong command line or configuration; 3 a service is not reachable; 130 interrupted.',
    )
    .demandCommand(1, 'Which command?')
    .strict()
    .recommendCommands()
    .version()
    .alias('h', 'help')
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error: Error | undefined, command) => {
      // While a command fails, yargs's third argument answers `help` with that command's text, whatever its type says.
      const help = (): string => String(command.help());
      throw error ?? new CommandError(usageMessage(message, args, help), exitCodes.usage);
    });
}

/** yargs's message for a wrong command line, with the options that may have been meant. */
function usageMessage(message: string, args: readonly string[], help: () => string): string {
  const hint = `\n(${['tempeh-flow', ...commandOf(args), '--help'].join(' ')} says what there is)`;
  if (message.startsWith('Did you mean')) return `Unknown command: ${commandOf(args).join(' ')}. ${message}`;
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(', ') ?? [];
  const meant = unknown.flatMap((name) => suggest(name, optionsIn(help()))).map((name) => `--${name}`);
  return `${message}.${didYouMean([...new Set(meant)])}`.replace(/([?.])\.$/, '$1') + hint;
}

/** Names of the options that a command's help lists. */
function optionsIn(help: string): string[] {
  return [...help.matchAll(/^ +(?:-\w, )?--([a-z][\w-]*)/gm)].map((match) => match[1]!);
}

function commandOf(args: readonly string[]): string[] {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  return [...(end < 0 ? args : args.slice(0, end))];
}
