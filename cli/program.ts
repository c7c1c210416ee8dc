import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import yargs, { type Argv } from 'yargs';
import { packageRoot } from '../configs/packageRoot.js';
import { printable } from '../text/printable.js';
import { didYouMean, suggest } from '../configs/reading/suggestions.js';
import type { GlobalOptions } from './command.js';
import { commands } from './commandTable.js';
import { CommandError } from './errors.js';
import { exitCodes } from './exitCodes.js';

/** The command line, with those commands loaded that the arguments name: `--help` and `list` are to be quick. */
export async function buildProgram(args: readonly string[]): Promise<Argv<GlobalOptions>> {
  let program = yargs([...args])
    .scriptName('tempeh-flow')
    .usage('$0 COMMAND\n\nTrains TEMPEH, multi-view head capture in a fixed topology, on Temporal and TensorFlow.')
    .option('verbose', { type: 'boolean', default: false, describe: 'Show stack traces', global: true })
    .option('json', {
      type: 'boolean',
      default: false,
      describe: 'Answer in JSON, errors too (docs/operating.md)',
      global: true,
    });
  for (const entry of commands) {
    program = args.includes(entry.name) ? await entry.load(program) : program.command(entry.command, entry.describe);
  }
  return program
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
    .version(ownVersion())
    .alias('h', 'help')
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .exitProcess(false)
    .middleware((argv: Readonly<Record<string, unknown>>, command?: object) => {
      checkNumbers(argv, numbersOf(command), args);
    }, true)
    .fail((message, error: Error | undefined, command) => {
      // While a command fails, yargs's third argument answers `help` with that command's text, whatever its type says.
      const help = (): string => String(command.help());
      throw error ?? new CommandError(usageMessage(message, args, help), exitCodes.usage);
    });
}

/** yargs makes NaN of what is no number, and 0 of nothing. @throws CommandError with what was written. */
function checkNumbers(
  argv: Readonly<Record<string, unknown>>,
  names: readonly string[],
  args: readonly string[],
): void {
  for (const name of names) {
    if (argv[name] === undefined) continue;
    const at = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    if (at < 0) continue;
    const written = args[at]!.includes('=') ? args[at]!.slice(name.length + 3) : (args[at + 1] ?? '');
    if (written.trim() !== '' && !Number.isNaN(Number(written))) continue;
    throw new CommandError(`--${name} ${printable(written)}: expected a number.`, exitCodes.usage);
  }
}

/** yargs's types leave out both what a middleware is given second and this. */
function numbersOf(command: object | undefined): readonly string[] {
  return (command as { getOptions(): { number: readonly string[] } } | undefined)?.getOptions().number ?? [];
}

/** yargs looks beside the package that it is installed in, which is not always ours. */
function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** yargs's message for a wrong command line, with the options that may have been meant. */
function usageMessage(message: string, args: readonly string[], help: () => string): string {
  const hint = (): string => `\n(${commandIn(help())} --help says what there is)`;
  if (message.startsWith('Did you mean')) return `Unknown command: ${commandOf(args).join(' ')}. ${message}`;
  if (message.startsWith('Not enough non-option arguments')) {
    // Its first line is the command with what it takes.
    const usage = help().trim().split('\n')[0] ?? '';
    const runs = usage.includes('<run>') ? ' tempeh-flow list shows the runs.' : '';
    return `An argument is missing: ${usage}.${runs}${hint()}`;
  }
  const choices = [...message.matchAll(/^ *Argument: ([\w-]+), Given: "(.*)", Choices: (.*)$/gm)];
  if (choices.length > 0) {
    const lines = choices.map(([, name = '', given, of = '']) => {
      const option = optionsIn(help()).includes(name) ? `--${name}` : name.toUpperCase();
      return `${option} ${printable(given ?? '')}: expected ${of.replaceAll('"', '').replace(/, ([^,]*)$/, ' or $1')}.`;
    });
    return `${lines.join('\n')}${hint()}`;
  }
  const missing = /^Missing required arguments?: (.*)$/.exec(message)?.[1]?.split(', ');
  if (missing !== undefined) {
    const names = missing.map((name) => `--${name}`);
    return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} missing.${hint()}`;
  }
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(', ') ?? [];
  const meant = unknown.flatMap((name) => suggest(name, optionsIn(help()))).map((name) => `--${name}`);
  return `${message}.${didYouMean([...new Set(meant)])}`.replace(/([?.])\.$/, '$1') + hint();
}

/** A command's words, without what it takes, from the first line of its help. */
function commandIn(help: string): string {
  return /^tempeh-flow(?: [a-z][a-z-]*)*/.exec(help.trim())?.[0] ?? 'tempeh-flow';
}

/** Names of the options that a command's help lists. */
function optionsIn(help: string): string[] {
  return [...help.matchAll(/^ +(?:-\w, )?--([a-z][\w-]*)/gm)].map((match) => match[1]!);
}

function commandOf(args: readonly string[]): string[] {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  return [...(end < 0 ? args : args.slice(0, end))];
}
