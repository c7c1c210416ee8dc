import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The compiled program, for what is about its process: signals, terminals, readers that go away. */
export const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const commandProcess = fileURLToPath(new URL('commandProcess.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command process is sent. */
export interface CommandLine {
  readonly args: readonly string[];
  /** The whole of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Follows what a command has printed. */
export const endMark = '\0end\0';

/** Processes that have run a command line and wait for another. */
const idle: ChildProcess[] = [];
process.once('exit', () => idle.forEach((child) => child.kill()));

/**
 * Runs `tempeh-flow` as a user does, in another process that inherits nothing of the caller's services. The process runs
 * the next command line too, unless the command ended it.
 *
 * @param environment beside ours, but for Temporal's address.
 */
export async function tempehFlow(args: readonly string[], environment: Record<string, string> = {}): Promise<Finished> {
  const child = idle.pop() ?? startCommandProcess();
  const finished = await runIn(child, args, environment);
  if (child.connected) idle.push(child);
  return finished;
}

/** As {@link tempehFlow}, in a process of its own: for what it loads, or holds for its whole life. */
export async function tempehFlowAlone(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [main, ...args], {
    env: environmentWith(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

function environmentWith(more: Readonly<Record<string, string>>): Record<string, string> {
  const { TEMPORAL_ADDRESS: _address, TEMPORAL_NAMESPACE: _namespace, ...inherited } = process.env;
  return { ...inherited, TEMPEH_DIRECTORY: '/nonexistent', ...more };
}

function startCommandProcess(): ChildProcess {
  return fork(commandProcess, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
}

async function runIn(
  child: ChildProcess,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Finished> {
  hold(child, true);
  const listening = new AbortController();
  const next = (event: string) =>
    once(child, event, { signal: listening.signal }).then(([code]) => code as number | null);
  const ended = Promise.race([next('message'), next('close')]);
  const printed = Promise.all([readToMark(child.stdout!), readToMark(child.stderr!)]);
  child.send({ args, environment: environmentWith(environment) } satisfies CommandLine);
  const code = await ended;
  const [stdout, stderr] = await printed;
  listening.abort();
  hold(child, false);
  return { code, stdout, stderr };
}

/** What comes from a stream until the mark, or until its end. */
function readToMark(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let read = '';
    const onData = (piece: string): void => {
      read += piece;
      if (read.endsWith(endMark)) finish();
    };
    const finish = (): void => {
      stream.off('data', onData).off('end', finish);
      resolve(read.replace(endMark, ''));
    };
    stream.setEncoding('utf8').on('data', onData).once('end', finish);
  });
}

/** Whether a process keeps this one from ending. */
function hold(child: ChildProcess, held: boolean): void {
  for (const part of [child, child.channel, child.stdout as Socket | null, child.stderr as Socket | null]) {
    if (held) part?.ref();
    else part?.unref();
  }
}
