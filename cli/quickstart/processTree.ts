import { readdirSync, readFileSync } from 'node:fs';

/** Process ids of all that descend from a process, the process itself left out; children before grandchildren. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const visit = (process: number): void => {
    for (const child of children.get(process) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name may hold spaces and brackets: fields count from the last bracket.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    // It has ended meanwhile.
    return null;
  }
}

/**
 * Kills all that descends from this process. Twice: what was starting while we looked is found the second time. Stopped
 * first, so that nobody restarts or reaps what is killed.
 */
export function killDescendants(): void {
  for (let round = 0; round < 2; round++) {
    const all = descendants(process.pid);
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      for (const pid of all) {
        try {
          process.kill(pid, signal);
        } catch {
          // It has ended meanwhile.
        }
      }
    }
  }
}
