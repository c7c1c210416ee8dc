/**
 * Runs the blocks of commands of the documentation that are marked `run`, as they stand, on a tiny run with real servers
 * and workers: `npm run test:docs`. Words that stand for a name (`RUN`, `NAME`) are replaced; what runs until it is stopped
 * gets Ctrl-C once it has said something.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson, workspace } from '../../cli/machine/workspace.js';
import { Launcher } from '../chain/launcher.js';
import { main } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { documentedBlocks, type Block } from './blocks.js';

/** Milliseconds: for one line, and until a server of one serves. */
const patience = 300_000;
const settling = 20_000;
/** Runs until it is stopped. */
const lasting = /\b(codec serve|dev|worker (data|gpu)|logs .*--follow)\b/;

interface Running {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

const folder = temporaryFolder();
const bin = join(folder, 'bin');
mkdirSync(bin);
const script = (name: string, text: string): void => {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
};
script('tempeh-flow', `exec ${process.execPath} --enable-source-maps ${main} "$@"`);
script('npx', 'exec "$@"');

/** A line of a shell, in a process group of its own. */
function shell(line: string, directory: string): Running {
  const child = spawn('bash', ['-c', `set -eo pipefail; ${line}`], {
    cwd: folder,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, TEMPEH_DIRECTORY: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const signal = (name: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, name);
  };
  const clock = setTimeout(() => signal('SIGKILL'), patience);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  void ended.then(() => clearTimeout(clock));
  return { output: () => output, ended, signal };
}

/** Line by line; assignments hold for the lines after them. @returns what went wrong. */
async function runBlock({ text }: Block, run: string, directory: string): Promise<string | null> {
  const lines = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
    .filter((line) => line !== '');
  const said: string[] = [];
  const serving: { readonly line: string; readonly process: Running }[] = [];
  const problems: string[] = [];
  for (const line of lines) {
    // This machine need not have a GPU.
    const named = line
      .replace(/\bRUN\b/g, run)
      .replace(/\bNAME\b/g, 'chain')
      .replace(/worker gpu$/, '$& --cpu');
    if (named.startsWith('export ')) {
      said.push(`${named};`);
      continue;
    }
    const process = shell(`${said.join(' ')} ${named}`, directory);
    if (lasting.test(named)) {
      serving.push({ line: named, process });
      await Promise.race([process.ended, sleep(settling)]);
    } else if ((await process.ended) !== 0) {
      problems.push(`${named}\nended with ${await process.ended}:\n${process.output().slice(-2000)}`);
    }
  }
  for (const { line, process } of serving.toReversed()) {
    process.signal('SIGINT');
    const code = await process.ended;
    if ((code !== 0 && code !== 130) || process.output() === '') {
      problems.push(`${line}\nended with ${code}:\n${process.output().slice(-2000)}`);
    }
  }
  return problems.length === 0 ? null : problems.join('\n');
}

const directory = join(folder, '.tempeh');
/** The name of the run, once it is complete. */
async function trainedRun(): Promise<string> {
  for (;;) {
    const last = readJson<{ readonly run: string }>(workspace(directory).lastRun);
    if (last !== null) return last.run;
    if ((await Promise.race([launcher.ended, sleep(1000, 'runs')])) !== 'runs') throw new Error(launcher.output);
  }
}

const launcher = new Launcher(directory, `docs-${process.pid}`, ['--keep']);
let failed = 0;
try {
  const run = await trainedRun();
  for (const block of (await documentedBlocks()).filter(({ mark }) => mark === 'run')) {
    // Servers of its own have a folder of their own.
    const own = /tempeh-flow dev\b/.test(block.text) ? join(folder, 'other') : directory;
    const problem = await runBlock(block, run, own);
    console.log(problem === null ? `ok     ${block.where}` : `NOT OK ${block.where}: ${problem}`);
    if (problem !== null) failed++;
  }
} catch (error) {
  failed++;
  console.log(`NOT OK ${(error as Error).message}`);
} finally {
  launcher.interrupt();
  await Promise.race([launcher.ended, sleep(60_000, undefined, { ref: false })]);
  launcher.kill();
}
process.exitCode = failed === 0 ? 0 : 1;
