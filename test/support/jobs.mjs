/** What test/run.mjs starts: which test files go together, and in which order. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Files that take more than five seconds of processor time, the longest first, or half a minute of waiting: none is to run alone
 * at the end. Those of a list share a process: with it they share a Temporal server, TensorFlow, or a process of commands.
 *
 * @type {(string | string[])[]}
 */
const long = [
  'chaos/shortChaos',
  'model/refinementStepGolden',
  'workflows/control',
  [
    'workflows/extend',
    'workflows/fetchPublished',
    'workflows/fullTraining',
    'workflows/predictFolders',
    'workflows/retry',
    'workflows/series',
  ],
  ['workers/devices', 'workers/folderPrediction', 'workers/gpuWorker', 'workers/queues', 'workers/shards'],
  'training/stages/resumption',
  'chain/miniature',
  'chain/series',
  'training/stages/trainerProcess',
  'workers/dataWorkerKilled',
  'training/stages/trainStage',
  'training/stages/trainStageFaults',
  'training/stages/inPlace',
  'training/stages/lostObjects',
  'model/coarseStepGolden',
  'inference/predictFolders',
  'datasets/pack/packDataset',
  ['cli/predict', 'cli/predictRun', 'cli/finetune'],
  'datasets/worlds/worlds',
  'training/published/published',
  'inference/predictFrames',
  'workers/endings',
  'workers/renewal',
  'cli/endings',
  'fuzz/fuzz',
  'datasets/batches/openBatches',
  'datasets/fetch/killed',
  'workflows/evolution',
  'model/mixedPrecision',
  'client/payloads',
  'infra/services',
  'cli/fetch',
  'model/refinementGolden',
  'datasets/cache/cacheBudget',
  'cli/followRenewal',
  'datasets/inspect/checkDataset',
  'training/steps/mixedPrecision',
  'training/steps/overfit',
];

/** Files of these rooms wait for servers and processes; those that only compute fill the end of the run. */
const waiting = /^(workers|workflows|cli|client|infra|storage|datasets.fetch)./;

/**
 * A process takes half a second, and more with TensorFlow or Temporal, until it can test something: files share one with others
 * of their room. Not those that are long, and not where this is in their text: hooks of the whole process, what is everybody's
 * in it, servers, processes of its own.
 */
const ownProcess =
  /^(before|beforeEach|afterEach)\(|process\.(env\b|exitCode|chdir|on\(|once\(|umask|memoryUsage|set|std)|\bmock\b|globalThis|start(Test|Proxied)|startTemporal|startObjectStore|support\/processes\//m;

/** So that the last ones do not take long alone. */
const filesTogether = 12;

/**
 * @typedef {object} Job
 * @property {string} name
 * @property {string} module that runs its tests when it is imported
 * @property {number} files how many there are
 */

/**
 * @param {string} build `build/test`
 * @param {readonly string[]} words files whose path contains one; all if empty
 * @returns {Job[]} those that are to start early first
 */
export function planJobs(build, words) {
  const files = (existsSync(build) ? readdirSync(build, { recursive: true, encoding: 'utf8' }) : [])
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const file of files) {
    const group = groupOf(build, file);
    const before = groups.get(group) ?? [];
    groups.set(group, [...before, file]);
  }
  return [...groups.values()]
    .flatMap((group) => inParts(group))
    .sort(([a = ''], [b = '']) => placeOf(a) - placeOf(b))
    .map((group) => jobOf(build, group));
}

/** @param {string} file */
function placeOf(file) {
  const name = file.replace(/\.test\.js$/, '');
  return long.findIndex((one) => [one].flat().includes(name)) + 1 || (waiting.test(file) ? 1000 : 2000);
}

/**
 * @param {string} build
 * @param {string} file
 * @returns {string} the same for those that can share a process
 */
function groupOf(build, file) {
  const text = readFileSync(path.join(build, file), 'utf8');
  const place = placeOf(file);
  if (place <= long.length) return `long ${place}`;
  if (ownProcess.test(text)) return file;
  return file.split(path.sep)[0] ?? file;
}

/** @param {readonly string[]} files */
function inParts(files) {
  const parts = Math.ceil(files.length / filesTogether);
  return Array.from({ length: parts }, (_, part) =>
    files.slice(Math.round((part * files.length) / parts), Math.round(((part + 1) * files.length) / parts)),
  );
}

/**
 * @param {string} build
 * @param {readonly string[]} files
 * @returns {Job}
 */
function jobOf(build, files) {
  const [first = '', ...others] = files;
  const name = first.replace(/\.test\.js$/, '');
  if (others.length === 0) return { name, module: path.join(build, first), files: 1 };
  // Imported by one module: all are loaded before the first test begins.
  const module = path.join(build, '.together', `${name.replaceAll(path.sep, '.')}.mjs`);
  mkdirSync(path.dirname(module), { recursive: true });
  writeFileSync(module, files.map((file) => `import ${JSON.stringify(path.join(build, file))};\n`).join(''));
  return { name: `${name} and ${others.length} more`, module, files: files.length };
}
