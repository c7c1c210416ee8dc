/**
 * `npm run chaos`: full training on the miniature, once undisturbed, and once while everything around it is killed, cut
 * and damaged on a seeded schedule; ends with a table of what was done and what it cost, and compares both runs' results.
 *
 *   npm run chaos -- [--seed N] [--events N] [--config FILE] [--set PATH=VALUE …] [--miniature YAML] [--directory FOLDER] [--keep]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { killDescendants } from '../../cli/quickstart/processTree.js';
import { parseMiniature } from '../../cli/quickstart/quickstart.js';
import { columns, duration } from '../../cli/terminal.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { canMount } from './managedWorker.js';
import { enterNamespace } from './namespace.js';
import { smallMiniature } from './smallMiniature.js';
import { logFolder, runChaos, type ChaosReport } from './runChaos.js';

// As the program's launcher does: no advice of the AWS SDK to users of Node 20.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    events: { type: 'string', default: '36' },
    config: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    miniature: { type: 'string' },
    directory: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
await enterNamespace();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    killDescendants();
    process.exit(130);
  });
}
const [seed, events] = [Number(values.seed), Number(values.events)];
if (!Number.isSafeInteger(seed) || seed < 0 || !Number.isSafeInteger(events) || events < 1) {
  console.error(`--seed ${values.seed} --events ${values.events}: expected an integer from 0 on, and one from 1 on`);
  process.exit(2);
}
const configuration = await loadConfiguration(
  values.config ?? join(packageRoot, 'test', 'chaos', 'chaos.yaml'),
  values.set,
);
const miniature =
  values.miniature !== undefined ? parseMiniature(values.miniature) : values.config ? {} : smallMiniature;
const directory = values.directory ? resolve(values.directory) : await mkdtemp(join(tmpdir(), 'tempeh-chaos-'));
if (canMount === undefined) console.log('This machine does not let us mount a disk: no disk will be full.');
try {
  const report = await runChaos({
    directory,
    configuration,
    miniature,
    seed,
    events,
    report: (line) => console.log(line),
  });
  console.log(`\n${tableOf(report, seed)}`);
  process.exitCode = report.problems.length > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
if (values.keep || process.exitCode !== 0) console.log(`Logs: ${logFolder(directory)}`);
else if (values.directory === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 3 });

function tableOf(
  { strikes, undisturbedSeconds, disturbedSeconds, stages, equal, problems }: ChaosReport,
  seed: number,
): string {
  const rows = strikes.map(({ name, seconds, where, repeated, standstill }, i) => [
    String(i + 1),
    duration(seconds),
    where,
    name,
    repeated === null ? '' : String(repeated),
    standstill.toFixed(1),
  ]);
  const repeated = strikes.reduce((sum, strike) => sum + (strike.repeated ?? 0), 0);
  return [
    columns([['#', 'when', 'where', 'what', 'steps again', 'still, s'], ...rows], [0, 4, 5]),
    '',
    `${strikes.length} faults (seed ${seed}): ${duration(disturbedSeconds)} instead of ${duration(undisturbedSeconds)}, ${repeated} steps made again.`,
    ...stages.map(({ stage, step, modelSha256 }) => `${stage.padEnd(18)} step ${step}  ${modelSha256}`),
    ...equal.map((what) => `equal: ${what}`),
    ...problems.map((problem) => `PROBLEM: ${problem}`),
  ].join('\n');
}
