import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, as others on the same disk can tell it from all others, on whatever machine or in whatever container. */
export interface ProcessIdentity {
  readonly host: string;
  /** What process numbers are counted in: the machine since it started, or a container. */
  readonly space: string;
  readonly pid: number;
  /** In clock ticks of the machine: numbers are used again. Empty where the system does not say. */
  readonly startTime: string;
}

export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), space: ownSpace(), pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
}

/** Whether it runs still; null where it cannot be seen from here. */
export function runs(other: ProcessIdentity): boolean | null {
  if (other.space !== ownSpace()) return null;
  const startTime = startTimeOf(other.pid);
  if (other.startTime !== '') return startTime === other.startTime;
  try {
    process.kill(other.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ownSpace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** Null for none, or one that has ended and only waits to be noticed. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name may hold spaces and brackets: fields count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
