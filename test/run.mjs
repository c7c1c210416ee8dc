/**
 * Runs the compiled tests (`build/test`) in processes of their own (test/support/jobs.mjs), as many at a time as there are
 * processors, and more while those idle, for most files wait now and then. `npm test -- geometry` runs the files whose path
 * contains a word. With `--lint` and no word, types and style are looked at meanwhile. The last line counts the tests. With
 * `--times` the processes are listed by their processor time, with that of all that they start (Linux).
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { availableParallelism, cpus, getPriority, setPriority } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { planJobs } from './support/jobs.mjs';
import { countProcessorTime, removeGroups } from './support/processorTime.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = path.join(root, 'build', 'test');

/** A file that takes longer hangs, with so much for each that shares its process: milliseconds. The whole of `npm test` has 9 minutes on two cores. */
const [timeout, further] = [600_000, 120_000];

/** @type {{ name: string, processor: number, seconds: number }[]} */
const processorTimes = [];

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {Record<string, number>} counts how many tests passed, failed, were skipped
 * @property {string} failures what node says of those that failed
 */

/**
 * Runs a program to its end. What it prints is shown when it has ended, so that it stands together.
 *
 * @param {string} name
 * @param {string[]} args of node
 * @param {{ nice: number, files?: number }} options
 */
async function runNode(name, args, { nice, files = 1 }) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid = 0 } = child;
  if (nice > 0 && pid > 0) setPriority(pid, nice);
  const processorTime = options.includes('--times') && pid > 0 ? countProcessorTime(pid, name) : null;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  }
  const limit = timeout + (files - 1) * further;
  const clock = setTimeout(() => {
    output += `\n${name} took longer than ${limit / 1000} s and was ended.\n`;
    child.kill('SIGKILL');
  }, limit);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  clearTimeout(clock);
  const seconds = (performance.now() - startedAt) / 1000;
  if (processorTime !== null) processorTimes.push({ name, processor: processorTime(), seconds });
  return { code, output: inSources(output), seconds };
}

/**
 * @param {import('./support/jobs.mjs').Job} job
 * @returns {Promise<Result>}
 */
async function runTests({ name, module, files }) {
  const { code, output, seconds } = await runNode(name, ['--test-reporter=spec', module], { nice: 0, files });
  const counted = output.lastIndexOf('\nℹ tests ');
  const [tests, summary] = counted < 0 ? [output, ''] : [output.slice(0, counted), output.slice(counted)];
  const counts = Object.fromEntries(
    [...summary.matchAll(/^ℹ (pass|fail|cancelled|skipped|todo) (\d+)$/gm)].map(([, key, count]) => [
      key,
      Number(count),
    ]),
  );
  const failed = (counts['fail'] ?? 0) + (counts['cancelled'] ?? 0);
  // It ended without a result of its tests.
  if (code !== 0 && failed === 0) counts['fail'] = 1;
  console.log(`── ${name} (${seconds.toFixed(1)} s)\n${tests.trimEnd()}`);
  const failures = code === 0 ? '' : `${summary.split('✖ failing tests:\n')[1] ?? `\n${name} ended with ${code}.\n`}`;
  return { name, counts, failures };
}

/** Oxlint, then Oxfmt; their priority is low, so that they take what the tests leave. @returns {Promise<Result>} */
async function lint() {
  const name = 'lint';
  const steps = [
    ['oxlint/bin/oxlint', '-c', 'oxlint.config.js'],
    ['oxfmt/bin/oxfmt', '--check', '.'],
  ];
  let failures = '';
  for (const [program = '', ...args] of steps) {
    const { code, output, seconds } = await runNode(name, [path.join('node_modules', program), ...args], { nice: 5 });
    console.log(`── ${path.basename(program)} (${seconds.toFixed(1)} s)`);
    if (code !== 0) failures += `\n${output}`;
  }
  return { name, counts: {}, failures };
}

/** When processorsIdle was asked last, ms. */
let ticks = { all: 0, idle: 0 };

/** Whether processors had nothing to do in the second or more since it was asked last, or only what can wait: the lint. */
function processorsIdle() {
  const now = { all: 0, idle: 0 };
  for (const { times } of cpus()) {
    now.all += times.user + times.nice + times.sys + times.idle + times.irq;
    now.idle += times.idle + (getPriority() > 0 ? 0 : times.nice);
  }
  const past = { all: now.all - ticks.all, idle: now.idle - ticks.idle };
  if (past.all < 1000 * cpus().length) return false;
  ticks = now;
  return past.idle > 0.15 * past.all;
}

/** Source maps by compiled file; null where there is none. */
const maps = new Map();

/**
 * Positions in compiled files as those of their sources. (`--enable-source-maps` would do that too, and takes every process a
 * tenth of its time.)
 *
 * @param {string} text
 */
function inSources(text) {
  return text.replace(
    /(?:file:\/\/)?(\/?(?:[^\s:()]*\/)?build\/[^\s:()]+\.js):(\d+):(\d+)/g,
    (all, found, line, column) => {
      const file = path.resolve(root, found);
      if (!maps.has(file)) maps.set(file, existsSync(`${file}.map`) ? mapOf(`${file}.map`) : null);
      const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (!entry || !('originalSource' in entry)) return all;
      const source = path.relative(root, path.resolve(path.dirname(file), entry.originalSource));
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}

/** @param {string} file */
function mapOf(file) {
  return new SourceMap(JSON.parse(readFileSync(file, 'utf8')));
}

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const environment = {
  ...process.env,
  // TensorFlow's threads wait actively for each other: with files side by side, one each gets on better.
  TF_NUM_INTRAOP_THREADS: process.env['TF_NUM_INTRAOP_THREADS'] ?? '1',
  // From Node 22 on, what one process has compiled the others need not: by content, so that nothing old is run.
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? path.join(root, 'build', '.compiled'),
};
const jobs = planJobs(build, words).map((job) => () => runTests(job));
if (options.includes('--lint') && words.length === 0) jobs.unshift(lint);

/** @type {Result[]} */
const results = [];
/** @type {Set<Promise<void>>} */
const running = new Set();
const processors = availableParallelism();
while (jobs.length > 0 || running.size > 0) {
  const job =
    running.size < processors || (running.size < 4 * processors && processorsIdle()) ? jobs.shift() : undefined;
  if (job) {
    const done = job().then((result) => {
      results.push(result);
      running.delete(done);
    });
    running.add(done);
  } else await Promise.race([...running, sleep(500)]);
}

removeGroups();
if (processorTimes.length > 0) {
  const total = processorTimes.reduce((sum, { processor }) => sum + processor, 0);
  console.log(`\nProcessor time: ${total.toFixed(0)} s`);
  for (const { name, processor, seconds } of processorTimes.sort((a, b) => b.processor - a.processor)) {
    console.log(`${processor.toFixed(1).padStart(7)} s  ${name} (${seconds.toFixed(1)} s)`);
  }
}
const failures = results.filter(({ failures }) => failures !== '');
if (failures.length > 0) console.log(`\n✖ failed:`);
for (const { name, failures: text } of failures) console.log(`\n── ${name}\n${text.trim()}`);
const sum = (/** @type {string[]} */ ...keys) =>
  results.reduce((total, { counts }) => total + keys.reduce((part, key) => part + (counts[key] ?? 0), 0), 0);
const passed = sum('pass');
const failed = sum('fail', 'cancelled');
if (passed + failed === 0) console.error(`No test was run: none in ${build}${words.length ? ` with ${words}` : ''}.`);
console.log(`${passed} passed, ${failed} failed, ${sum('skipped', 'todo')} skipped`);
process.exitCode = failures.length > 0 || failed > 0 || passed === 0 ? 1 : 0;
