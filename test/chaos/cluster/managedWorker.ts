import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuarded, type GuardedProcess } from '../../../infra/services/index.js';
import { descendantWith } from './processes.js';

export interface ManagedWorkerOptions {
  readonly name: string;
  /** What node runs, and its arguments. */
  readonly command: readonly string[];
  /** The worker's own folder. */
  readonly directory: string;
  /** Bytes of a disk of the worker's own, which comes and goes with its process as that of a spot machine; null: the folder itself. */
  readonly diskBytes: number | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const graceSeconds = 60;
const restartMilliseconds = 300;

/** Whether this machine lets us mount a disk that only a process of ours sees. */
export const canMount = ['-m', '-Urm'].find((flags) => {
  const script = 'mount -t tmpfs -o size=1m tmpfs /mnt';
  return spawnSync('unshare', [flags, 'sh', '-c', script], { stdio: 'ignore' }).status === 0;
});

/** A worker as an orchestrator of containers would run it: started again whenever it ends. */
export class ManagedWorker {
  private current: GuardedProcess | null = null;
  private watching: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(private readonly options: ManagedWorkerOptions) {
    mkdirSync(options.directory, { recursive: true });
  }

  get name(): string {
    return this.options.name;
  }

  async start(): Promise<void> {
    this.current = await this.launch();
    this.watching = this.watch();
  }

  /** Of the worker's process; null while there is none. */
  get pid(): number | null {
    return descendantWith(this.group, this.options.directory);
  }

  /** Of its process group, in which a launcher stands before it. */
  get group(): number {
    if (this.current === null) throw new Error(`${this.name} was not started`);
    return this.current.identity.pid;
  }

  /** The process that it supervises; null while there is none. @param module of it: `trainer.js` */
  child(module: string): number | null {
    const { pid } = this;
    return pid === null ? null : descendantWith(pid, module);
  }

  /** Where its folder is found from outside. */
  get seenDirectory(): string | null {
    const { pid } = this;
    if (pid === null) return null;
    return this.options.diskBytes === null ? this.options.directory : join(`/proc/${pid}/root`, this.options.directory);
  }

  get hasDisk(): boolean {
    return this.options.diskBytes !== null;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.current?.stop();
    await this.watching;
  }

  private async watch(): Promise<void> {
    while (this.current !== null) {
      await this.current.ended;
      if (this.stopping) return;
      await sleep(restartMilliseconds);
      if (this.stopping) return;
      this.current = await this.launch();
      if (this.stopping) await this.current.stop();
    }
  }

  private launch(): Promise<GuardedProcess> {
    const { command, directory, diskBytes, environment, logFile } = this.options;
    const node = [process.execPath, '--enable-source-maps', ...command];
    const mounted = ['-c', `mount -t tmpfs -o size=${diskBytes} tmpfs "$0" && exec "$@"`, directory, ...node];
    const [program = '', ...args] = diskBytes === null ? node : ['unshare', canMount ?? '-m', 'sh', ...mounted];
    return startGuarded({
      program,
      arguments: args,
      environment: { ...process.env, ...environment },
      directory: '/',
      logFile,
      graceSeconds,
    });
  }
}
