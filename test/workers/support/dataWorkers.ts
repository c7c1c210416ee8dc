import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { main } from '../../support/commandLine.js';

const started = new Set<ChildProcess>();

/** `tempeh-flow worker data`, when it takes work. */
export async function dataWorker(
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [main, 'worker', 'data', '--directory', directory], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  started.add(worker);
  const lines = createInterface({ input: worker.stderr });
  for await (const line of lines) if (line.includes('ready on')) break;
  worker.stderr.resume();
  return worker;
}

/** Kills a worker by SIGKILL, and waits until it has ended. */
export async function killed(worker: ChildProcess): Promise<void> {
  const gone = once(worker, 'close');
  worker.kill('SIGKILL');
  await gone;
}

/** To be called at the end: no worker outlives its test. */
export function killDataWorkers(): void {
  for (const worker of started) worker.kill('SIGKILL');
}
