import { readdirSync, readFileSync } from 'node:fs';
import { descendants } from '../../../cli/quickstart/processTree.js';

/** Of the descendants of a process that run Node, the newest whose command line has a word. */
export function descendantWith(pid: number, word: string): number | null {
  return (
    descendants(pid)
      .filter((found) => isNodeWith(found, word))
      .sort((a, b) => startTime(b) - startTime(a))[0] ?? null
  );
}

/** False if there is none of this number any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** All processes of a group. */
export function groupOf(leader: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statField(Number(name), 2) === leader)
    .map(Number);
}

function isNodeWith(pid: number, word: string): boolean {
  try {
    const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program === process.execPath && args.some((argument) => argument.includes(word));
  } catch {
    return false;
  }
}

const startTime = (pid: number): number => statField(pid, 19) ?? 0;

/** A field of `/proc/PID/stat`, counted from the process's state. */
function statField(pid: number, index: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[index]);
  } catch {
    return null;
  }
}
