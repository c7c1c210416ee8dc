import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeCacheEntry } from '../cache/cacheEntry.mjs';
import { runtimeDirectory } from '../cache/cacheContents.mjs';
import { runCommand } from '../commands.mjs';
import { SetupError } from '../errors.mjs';
import { bindingPackage, cacheDirectory, installedBinding, installedMarker, installedRuntime } from '../paths.mjs';
import { packageRoot } from '../paths.mjs';
import { fingerprint, pins } from '../pins.mjs';
import { checkProgram, sealProgram } from '../downloads/programs.mjs';
import { megabytes } from '../progress.mjs';
import { checkRuntime } from './runtimeSeal.mjs';
import { readInstalledMarker } from './tensorflowRuntime.mjs';

/** Part of the cached binding's name: raise it when the compiler's options change. */
const recipe = 1;
const compiler = process.env.CXX || 'g++';
/** What is compiled: `backend.cc` and `functions.cc` include the npm package's two sources. */
const ownFolder = path.join(packageRoot, 'infra', 'setup', 'binding');
const ownSources = [
  'backend.cc',
  'batch_normalization.cc',
  'batch_normalization_instructions.cc',
  'filter_gradient.cc',
  'filter_gradient_tiles.cc',
  'functions.cc',
  'narrow_convolution.cc',
  'narrow_convolution_tiles.cc',
  'point_sampling.cc',
  'signals.cc',
  'softmax_expectation.cc',
  'softmax_instructions.cc',
  'vectors.cc',
].map((name) => path.join(ownFolder, name));

/**
 * @param {'cpu' | 'gpu'} variant
 * @returns {boolean} whether this clone's npm package has its binding, on that runtime
 */
export function bindingIsInstalled(variant) {
  const marker = readInstalledMarker();
  return (
    marker?.variant === variant &&
    marker.binding === path.basename(bindingDirectory()) &&
    existsSync(installedBinding) &&
    readLink(installedRuntime) === runtimeDirectory(variant) &&
    existsSync(path.join(installedRuntime, 'lib', 'libtensorflow_cc.so.2'))
  );
}

/**
 * Gives the npm package its native binding (compiled once for all clones) and links it to TensorFlow's libraries.
 *
 * @param {'cpu' | 'gpu'} variant a runtime that is in the cache
 * @param {import('../progress.mjs').StepReport} report
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function installBinding(variant, report, signal) {
  const built = path.join(bindingDirectory(), 'tfjs_binding.node');
  if (!existsSync(built)) {
    report.say('compiling');
    await compile(variant, signal);
  }
  await checkProgram(built);
  await checkRuntime(runtimeDirectory(variant));
  mkdirSync(path.dirname(installedBinding), { recursive: true });
  const fresh = `${installedBinding}.${process.pid}`;
  // A copy: through a link, the loader would look for TensorFlow beside the cached file.
  copyFileSync(built, fresh);
  renameSync(fresh, installedBinding);
  replaceLink(installedRuntime, runtimeDirectory(variant));
  report.say('loading TensorFlow');
  const version = await loadBinding(signal);
  const marker = { variant, binding: path.basename(bindingDirectory()), runtime: runtimeDirectory(variant) };
  // As the binding a new file, for clones may have been made by hard links.
  const freshMarker = `${installedMarker}.${process.pid}`;
  writeFileSync(freshMarker, `${JSON.stringify(marker, undefined, 2)}\n`);
  renameSync(freshMarker, installedMarker);
  report.say(`TensorFlow ${version} for ${variant.toUpperCase()} loads`);
}

/** @returns {string} the folder in the cache for the binding of this clone's sources */
function bindingDirectory() {
  const lock = JSON.parse(readFileSync(path.join(packageRoot, 'package-lock.json'), 'utf8')).packages;
  const parts = ['@tensorflow/tfjs-node-gpu', 'node-api-headers'].map((name) => lock[`node_modules/${name}`].integrity);
  const version = lock['node_modules/@tensorflow/tfjs-node-gpu'].version;
  const own = readdirSync(ownFolder).sort();
  const contents = own.map((name) => readFileSync(path.join(ownFolder, name), 'utf8'));
  const key = fingerprint([parts, pins.tensorflow.version, recipe, own, contents]);
  return path.join(cacheDirectory, `tfjs-binding-${version}-${process.arch}-${key}`);
}

/**
 * Compiles the npm package's C++ sources, and ours. They use N-API only: one build serves every version of Node, and needs
 * no headers of Node itself. Neither node-gyp nor the package's own script takes part: both download.
 *
 * @param {'cpu' | 'gpu'} variant
 * @param {AbortSignal} signal
 */
async function compile(variant, signal) {
  const runtime = runtimeDirectory(variant);
  await makeCacheEntry(bindingDirectory(), async ({ result }) => {
    const output = path.join(result, 'tfjs_binding.node');
    const options = ['-std=c++17', '-O2', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'];
    const includes = [
      ...['-I', path.join(packageRoot, 'node_modules', 'node-api-headers', 'include')],
      ...['-I', path.join(runtime, 'include'), '-I', bindingPackage],
    ];
    const libraries = [`-L${path.join(runtime, 'lib')}`, '-ltensorflow', '-ltensorflow_framework'];
    const searchPath = '-Wl,-rpath,$ORIGIN/../../deps/lib';
    await runCommand(compiler, [...options, ...includes, ...ownSources, ...libraries, searchPath, '-o', output], {
      signal,
      mend: 'Install a C++ compiler (Debian, Ubuntu: `apt-get install g++`), or set CXX to one that knows C++17.',
    });
    report(output);
    await sealProgram(output);
  });

  /** @param {string} output */
  function report(output) {
    if (lstatSync(output).size === 0) throw new SetupError(`${compiler} wrote an empty file.`, 'Check the disk.');
  }
}

/**
 * Loads the binding in a process of its own: a library that does not fit ends that process, not this one.
 *
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>} TensorFlow's version
 */
export async function loadBinding(signal) {
  const code = 'process.stdout.write(require(process.argv[1]).TF_Version)';
  return runCommand(process.execPath, ['-e', code, installedBinding], {
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
    signal,
    mend: `TensorFlow ${pins.tensorflow.version} needs the GNU C library 2.27 or newer and a processor with AVX; ${megabytes(900e6)} of memory. See \`npx tempeh-flow doctor\`.`,
  });
}

/**
 * Points a link elsewhere in one go, replacing whatever bears its name.
 *
 * @param {string} link
 * @param {string} target
 */
function replaceLink(link, target) {
  if (existsSync(link) && readLink(link) === undefined) rmSync(link, { recursive: true });
  const fresh = `${link}.${process.pid}`;
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, link);
}

/**
 * @param {string} file
 * @returns {string | undefined} where a link points; nothing when it is no link
 */
function readLink(file) {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
