/** Imported by the files that `node test/run.mjs --times` runs: prints their processor time at their end (Linux). */
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

// Processes that the test forks are counted here, and print what they do without it.
process.execArgv.length = 0;
if (isMainThread) {
  process.once('exit', () => {
    // After the name: state, then numbers; user and system time of the process and of the children that it waited for.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    // Linux counts hundredths of a second.
    process.stdout.write(`processor seconds ${(ticks / 100).toFixed(2)}\n`);
  });
}
