import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
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
 */
export async function tempehFlow(args: readonly string[], environment: Record<string, string> = {}): Promise<Finished> {
  const { TEMPORAL_ADDRESS: _address, TEMPORAL_NAMESPACE: _namespace, ...inherited } = process.env;
  const whole = { ...inherited, TEMPEH_DIRECTORY: '/nonexistent', ...environment } as Record<string, string>;
  const child = idle.pop() ?? fork(commandProcess, { env: whole, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  hold(child, true);
  const listening = new AbortController();
  const next = (event: string) =>
    once(child, event, { signal: listening.signal }).then(([code]) => code as number | null);
  const ended = Promise.race([next('message'), next('close')]);
  const printed = Promise.all([readToMark(child.stdout!), readToMark(child.stderr!)]);
  child.send({ args, environment: whole } satisfies CommandLine);
  const code = await ended;
  const [stdout, stderr] = await printed;
  listening.abort();
  if (child.connected) {
    hold(child, false);
    idle.push(child);
  }
  return { code, stdout, stderr };
}

/** What comes from a stream until the mark, or until its end. */
function readToMark(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (piece: string): void => {
      text += piece;
      if (text.endsWith(endMark)) finish();
    };
    const finish = (): void => {
      stream.off('data', onData).off('end', finish);
      resolve(text.replace(endMark, ''));
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
