import { existsSync } from 'node:fs';

/** Where glibc's checks of what is freed are; without it, glibc's usual ones see most of it. */
const watcher = '/lib/x86_64-linux-gnu/libc_malloc_debug.so.0';

/** Environment of a process that ends when memory is freed beside which something was written. */
export const watchedMemory: Readonly<Record<string, string>> = {
  MALLOC_CHECK_: '3',
  ...(existsSync(watcher) ? { LD_PRELOAD: watcher } : {}),
};
