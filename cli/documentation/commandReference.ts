import { buildProgram } from '../program.js';

/**
 * `docs/commands.md`: what `--help` says of every command. Written by `npm run docs`; a test compares it with the program.
 *
 * @param width columns of the terminal that it is made for.
 */
export async function commandReference(width = 110): Promise<string> {
  const sections = [
    '# Commands',
    '',
    'What `tempeh-flow COMMAND --help` prints. Written by `npm run docs` from the program; do not edit by hand.',
  ];
  const waiting: string[][] = [[]];
  for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
    const help = await helpOf(command, width);
    sections.push('', `## tempeh-flow ${command.join(' ')}`.trimEnd(), '', '```', help, '```');
    waiting.unshift(...subcommands(help, command).map((name) => [...command, name]));
  }
  return `${sections.join('\n')}\n`;
}

/** The help of a command at a width that does not depend on the terminal. */
async function helpOf(command: readonly string[], width: number): Promise<string> {
  const args = [...command, '--help'];
  const program = await buildProgram(args);
  return new Promise((resolve, reject) => {
    const parsing = program.wrap(width).parseAsync(args, {}, (error, _, output) => {
      if (error) reject(error);
      else resolve(output.trimEnd());
    });
    parsing.then(undefined, reject);
  });
}

/** Names of the commands that a help lists below a command; the default command has its own page. */
function subcommands(help: string, command: readonly string[]): string[] {
  const list = /^Commands:\n((?: +.*\n?)+)/m.exec(help)?.[1] ?? '';
  const line = new RegExp(`^  tempeh-flow ${command.map((word) => `${word} `).join('')}([a-z][a-z-]*)`, 'gm');
  return [...new Set([...list.matchAll(line)].map((match) => match[1]!))].filter((name) => name !== 'completion');
}
