/**
 * Runs the compiled tests (`build/test`): those of the rooms two files at a time, then the chain's, which start servers
 * and train, one by one. `npm test -- geometry` runs the files whose path contains a word. The last line counts them.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const build = fileURLToPath(new URL('../build/test/', import.meta.url));

/** A file that takes longer (milliseconds) hangs. The whole of `npm test` has 12 minutes on two cores. */
const roomTimeout = 300_000;
const chainTimeout = 600_000;

/**
 * @param {string[]} files
 * @param {number} concurrency how many files at a time
 * @param {number} timeout milliseconds a file
 * @returns {Promise<Record<string, number>>} how many tests passed, failed, were skipped
 */
async function runFiles(files, concurrency, timeout) {
  /** @type {Record<string, number>} */
  const counts = {};
  if (files.length === 0) return counts;
  const events = run({ files, concurrency, timeout });
  events.on('test:diagnostic', ({ message, nesting }) => {
    const count = /^(pass|fail|cancelled|skipped|todo) (\d+)$/.exec(message);
    if (nesting === 0 && count) counts[count[1]] = Number(count[2]);
  });
  const report = events.compose(new Spec());
  report.pipe(process.stdout, { end: false });
  await finished(report, { writable: false });
  return counts;
}

// The tests run in processes of their own, which read their options from the environment.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --enable-source-maps`.trim();
const words = process.argv.slice(2);
const all = (existsSync(build) ? readdirSync(build, { recursive: true, encoding: 'utf8' }) : [])
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
const inChain = (/** @type {string} */ file) => file.startsWith(`chain${path.sep}`);
const files = (/** @type {boolean} */ chain) =>
  all.filter((file) => inChain(file) === chain).map((file) => path.join(build, file));

const rooms = await runFiles(files(false), 2, roomTimeout);
const chain = await runFiles(files(true), 1, chainTimeout);
const sum = (/** @type {string} */ name) => (rooms[name] ?? 0) + (chain[name] ?? 0);
const failed = sum('fail') + sum('cancelled');
const passed = sum('pass');
if (passed + failed === 0) console.error(`No test was run: none in ${build}${words.length ? ` with ${words}` : ''}.`);
console.log(`${passed} passed, ${failed} failed, ${sum('skipped') + sum('todo')} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
