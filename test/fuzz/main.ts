/**
 * `npm run fuzz -- --seconds N --seed S [--only NAME]`: every reader of files from outside, and of configurations, is given
 * files that are nearly right. Exits with 1 when one hangs, floods or throws what is not typed; its input is kept.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error('Expected --seconds above 0 and a whole number as --seed.');
  process.exit(2);
}
console.log(`Seed ${seed}, ${seconds} s.`);
const results = await fuzz({ seconds, seed, only: values.only });
for (const { reader, runs, refused, failure } of results) {
  console.log(`${failure ? '✖' : '✔'} ${reader.padEnd(20)} ${String(runs).padStart(8)} inputs, ${refused} refused`);
  if (failure) console.log(`  ${failure.file}\n  ${failure.message.replaceAll('\n', '\n  ')}`);
}
const failed = results.filter(({ failure }) => failure !== null).length;
console.log(`${results.length - failed} of ${results.length} readers stood.`);
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
