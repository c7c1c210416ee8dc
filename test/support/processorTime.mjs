/** Imported by the files that `node test/run.mjs --times` runs: prints their processor time at their end (Linux). */
import { readFileSync } from 'node:fs';

process.once('exit', () => {
  // After the name: state, then numbers; user and system time of the process and of the children that it waited for.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  // Linux tells them in hundredths of a second to all.
  process.stdout.write(`processor seconds ${(ticks / 100).toFixed(2)}\n`);
});
