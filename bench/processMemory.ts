import { readFileSync, writeFileSync } from 'node:fs';

/** Bytes of this process that are resident now. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** Starts a new measurement of the peak. @returns whether this system can: only Linux does. */
export function resetResidentPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** The largest resident size since the last reset, where there was one; since the start, elsewhere. Bytes. */
export function residentPeakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return 1024 * Number(kilobytes);
  } catch {
    // Not Linux.
  }
  return 1024 * process.resourceUsage().maxRSS;
}
