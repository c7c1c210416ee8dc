/** The processor time of a program with all that it starts: also of what is killed, or goes on by itself (Linux). */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where groups of processes can be made: below this process's own, in the version of cgroups that needs no controller for it. */
function ownGroup() {
  const own = readFileSync('/proc/self/cgroup', 'utf8').match(/^0::(.*)$/m)?.[1] ?? '/';
  const folder = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((root) =>
    existsSync(path.join(root, 'cgroup.procs')),
  );
  if (folder === undefined) throw new Error('no cgroups of version 2 below /sys/fs/cgroup');
  return path.join(folder, own);
}

/** Groups that still hold a process when they are read; they are removed as soon as they can be. @type {Set<string>} */
const left = new Set();

/**
 * Counts what a process takes that has just begun.
 *
 * @param {number} pid
 * @param {string} name
 * @returns {() => number} seconds of processors up to now; ends the count.
 * @throws Error where groups cannot be made.
 */
export function countProcessorTime(pid, name) {
  let group;
  try {
    group = path.join(ownGroup(), `tempeh-${process.pid}-${name.replaceAll('/', '.')}`);
    mkdirSync(group);
    writeFileSync(path.join(group, 'cgroup.procs'), String(pid));
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new Error(`--times counts by control groups: ${why}. Try it as root, or after systemd-run --user --scope.`, {
      cause: error,
    });
  }
  const made = group;
  return () => {
    const used = readFileSync(path.join(made, 'cpu.stat'), 'utf8').match(/^usage_usec (\d+)$/m)?.[1];
    left.add(made);
    removeGroups();
    return Number(used) / 1e6;
  };
}

/** Those that nothing runs in any more. */
export function removeGroups() {
  for (const group of left) {
    try {
      rmdirSync(group);
      left.delete(group);
    } catch {
      // Something still runs in it.
    }
  }
}
