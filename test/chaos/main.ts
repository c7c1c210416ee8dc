/**
 * `npm run chaos`: full training on the miniature, once undisturbed, and once while everything around it is killed, cut
 * and damaged on a seeded schedule; ends with a table of what was done and what it cost, and compares both runs' results.
 * `--help` says more.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { killDescendants } from '../../cli/quickstart/processTree.js';
import { parseMiniature } from '../../cli/quickstart/quickstart.js';
import { setOption } from '../../cli/setOption.js';
import { columns } from '../../cli/terminal/terminal.js';
import { duration } from '../../text/duration.js';
import { loadConfiguration } from '../../configs/load.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { canMount } from './cluster/managedWorker.js';
import { enterNamespace } from './cluster/namespace.js';
import type { TrainingFault } from './faults/faultKinds.js';
import { severeFaults } from './faults/severeFaults.js';
import { trainingFaults } from './faults/trainingFaults.js';
import { chaosMiniature } from './chaosMiniature.js';
import { logFolder, runChaos, type ChaosReport } from './runChaos.js';

const integerFrom = (least: number, name: string) => (value: number) => {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: expected an integer from ${least} on`);
};
const values = await yargs(process.argv.slice(2))
  .scriptName('npm run chaos --')
  .usage(
    '$0 [options]\n\nTrains the miniature twice, with real servers and workers: undisturbed, and while all of them are ' +
      'killed, cut off and damaged on a seeded schedule. Both must come to the same weights, predictions and events, to ' +
      'the last bit. Ends with a table of what struck, when, and what it cost. Exit code: 0 equal, 1 not, 2 bad options.',
  )
  .option('seed', {
    type: 'number',
    default: 1,
    coerce: integerFrom(0, 'seed'),
    describe: 'what strikes, and when, follows from it',
  })
  .option('events', {
    type: 'number',
    default: 36,
    coerce: integerFrom(1, 'events'),
    describe: 'how many faults; from 24 on also those outside of training',
  })
  .option('severe', {
    type: 'boolean',
    default: false,
    describe: 'kills of three processes at once, storms of orders, a cancelled claim, two lost checkpoints',
  })
  .option('only', {
    type: 'string',
    array: true,
    nargs: 1,
    default: [] as string[],
    describe: 'faults whose name holds this text, of both kinds; repeated: of either',
  })
  .option('config', { type: 'string', describe: 'YAML file of the run that is trained [test/chaos/chaos.yaml]' })
  .option('set', setOption)
  .option('miniature', { type: 'string', describe: 'changes of the generated data, as YAML' })
  .option('directory', { type: 'string', describe: 'folder of services, data, logs, which stays [a temporary one]' })
  .option('keep', { type: 'boolean', default: false, describe: 'leave the temporary folder; after a problem it stays' })
  .example('$0', 'Both runs, the second with 36 faults')
  .example('$0 --seed 7 --events 60', 'Another schedule, and more of it')
  .example('$0 --severe --events 5', 'Each of the severe faults once')
  .example('$0 --config configs/miniature.yaml', 'The run of npm start, at its own interval of checkpoints')
  .example('$0 --events 12 --set training.refinement.iterations=60', 'Fewer faults, a shorter run')
  .strict()
  .version(false)
  .alias('h', 'help')
  .wrap(110)
  .fail((message, error) => {
    console.error(`${message || error.message}\nnpm run chaos -- --help shows the options.`);
    process.exit(2);
  })
  .parseAsync();
const { seed, events } = values;
await enterNamespace();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    killDescendants();
    process.exit(130);
  });
}
const faults = chosenFaults(values.severe, values.only);
const { configuration, miniature } = await settings().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
});
const directory = values.directory ? resolve(values.directory) : await mkdtemp(join(tmpdir(), 'tempeh-chaos-'));
if (canMount === undefined) console.log('This machine does not let us mount a disk: no disk will be full.');
try {
  const report = await runChaos({
    directory,
    configuration,
    miniature,
    seed,
    events,
    ...(faults === undefined ? {} : { faults }),
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

/** undefined: the usual ones. */
function chosenFaults(severe: boolean, only: readonly string[]): readonly TrainingFault[] | undefined {
  if (only.length === 0) return severe ? severeFaults : undefined;
  const all = severe ? severeFaults : [...trainingFaults, ...severeFaults];
  const chosen = all.filter(({ name }) => only.some((text) => name.includes(text)));
  if (chosen.length > 0) return chosen;
  console.error(`No fault is called so. There are:\n${all.map(({ name }) => `  ${name}`).join('\n')}`);
  process.exit(2);
}

async function settings() {
  const file = values.config ?? join(packageRoot, 'test', 'chaos', 'chaos.yaml');
  const small = values.config === undefined ? chaosMiniature : {};
  return {
    // Two checkpoints that are lost need a third; in the end nothing may lie there that no manifest names.
    configuration: await loadConfiguration(file, [
      'checkpoints.keepLast=3',
      'checkpoints.sweepAfterHours=0',
      ...values.set,
    ]),
    miniature: values.miniature === undefined ? small : parseMiniature(values.miniature),
  };
}

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
