import type { ChildProcess } from 'node:child_process';

const alive = new Set<number>();
let sweeping = false;

/**
 * Remembers a child that leads a process group of its own, so that it does not outlive this process when that exits.
 * (When this process is killed, the child notices by the end of its IPC channel.)
 */
export function watchOver(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  alive.add(pid);
  if (!sweeping) {
    sweeping = true;
    process.on('exit', () => {
      for (const leader of alive) killGroup(leader);
    });
  }
}

/** Ends what may be left of a group once its leader has ended: loaders, decoders. */
export function sweepGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  killGroup(pid);
  alive.delete(pid);
}

/** SIGKILL to the process and all that it started. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
