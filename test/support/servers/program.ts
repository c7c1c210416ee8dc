import { connect } from 'node:net';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopback, startGuarded, type GuardedProcess } from '../../../infra/services/index.js';

export interface ProgramOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** That it listens on when it serves. */
  readonly port: number;
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** How it is ended in order; SIGTERM if absent. */
  readonly end?: () => void;
}

const startSeconds = 90;
const graceSeconds = 20;

/** A server that is started, stopped and started again. */
export class Program {
  private running: GuardedProcess | null = null;

  constructor(private readonly options: ProgramOptions) {}

  /** @throws Error it ends, or does not listen in time; with the end of its log. */
  async start(): Promise<void> {
    const { name, command, port, logFile, environment = {} } = this.options;
    const [program = '', ...args] = command;
    const { PATH } = process.env;
    const started = await startGuarded({
      program,
      arguments: args,
      environment: { PATH, LC_ALL: 'C', ...environment },
      directory: '/',
      logFile,
      graceSeconds,
    });
    this.running = started;
    let ended: number | string | null = null;
    void started.ended.then((how) => (ended = how));
    for (const until = Date.now() + startSeconds * 1000; ;) {
      if (await listens(port)) return;
      if (ended === null && Date.now() < until) await sleep(100);
      else throw new Error(`${name} ${ended === null ? 'does not listen' : `ended with ${ended}`}: ${tailOf(logFile)}`);
    }
  }

  async stop(): Promise<void> {
    const { running } = this;
    this.running = null;
    if (running === null) return;
    this.options.end?.();
    await running.stop();
  }

  /** All of it at once, as a power failure does. */
  async kill(): Promise<void> {
    const { running } = this;
    this.running = null;
    if (running === null) return;
    process.kill(-running.identity.pid, 'SIGKILL');
    await running.ended;
    await running.stop();
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ host: loopback, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const tailOf = (file: string): string =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n').slice(-1500) : '(no log)';
