/**
 * `npm run soak -- --hours N`: a small run over and over in one set of workers and servers, each disturbed, until the time is
 * over. Ends with 1 when something grows that should not, or when a run does not come to what the first came to.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { killDescendants } from '../../../cli/quickstart/processTree.js';
import { columns } from '../../../cli/terminal/terminal.js';
import { loadConfiguration } from '../../../configs/load.js';
import { packageRoot } from '../../../configs/packageRoot.js';
import { duration } from '../../../text/duration.js';
import { enterNamespace } from '../cluster/namespace.js';
import { chaosMiniature } from '../chaosMiniature.js';
import { lastingFaults } from './lastingFaults.js';
import { roundsForVerdict } from './growth.js';
import { growing, soak, type Round } from './soak.js';

const values = await yargs(process.argv.slice(2))
  .scriptName('npm run soak --')
  .usage(
    '$0 --hours N\n\nTrains small runs one after the other, with the same workers and servers, each under a few faults. Memory, ' +
      "open handles, processes, objects in the store and events in histories must not grow, and each run's weights, " +
      "predictions and events must be the first one's. Exit code: 0 so it is, 1 not, 2 bad options.",
  )
  .option('hours', {
    type: 'number',
    default: 1,
    coerce: (hours: number) => {
      if (hours > 0 && Number.isFinite(hours)) return hours;
      throw new Error('--hours: expected a number above 0, such as 12 or 0.25');
    },
    describe: 'a round is begun until then; a round takes a minute or two',
  })
  .option('seed', { type: 'number', default: 1, describe: 'what strikes, and when, follows from it' })
  .option('events', { type: 'number', default: 4, describe: 'faults a round' })
  .option('directory', { type: 'string', describe: 'folder of services, data, logs, which stays [a temporary one]' })
  .option('keep', { type: 'boolean', default: false, describe: 'leave the temporary folder; after a problem it stays' })
  .example('$0 --hours 12', 'Over night')
  .example('$0 --hours 0.25', 'A quarter of an hour')
  .strict()
  .version(false)
  .alias('h', 'help')
  .wrap(110)
  .fail((message, error) => {
    console.error(`${message || error.message}\nnpm run soak -- --help shows the options.`);
    process.exit(2);
  })
  .parseAsync();
for (const name of ['seed', 'events'] as const) {
  if (Number.isSafeInteger(values[name]) && values[name] >= 0) continue;
  console.error(`--${name}: expected an integer from 0 on`);
  process.exit(2);
}
await enterNamespace();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    killDescendants();
    process.exit(130);
  });
}
const configuration = await loadConfiguration(join(packageRoot, 'test', 'chaos', 'chaos.yaml'), [
  'training.coarse-pretraining.iterations=50',
  'training.coarse-finetuning.iterations=110',
  'training.refinement.iterations=50',
  'checkpoints.keepLast=3',
  // No fault of a soak is a process that hangs: a busy machine is to be no fault either.
  'supervision.progressTimeoutSeconds=60',
]);
const directory = values.directory ? resolve(values.directory) : await mkdtemp(join(tmpdir(), 'tempeh-soak-'));
const seen: Round[] = [];
try {
  await soak({
    directory,
    configuration,
    miniature: chaosMiniature,
    seed: values.seed,
    events: values.events,
    faults: lastingFaults,
    until: performance.now() + values.hours * 3_600_000,
    report: (line) => console.log(line),
    onRound: (round) => {
      seen.push(round);
      console.log(`\n${tableOf(seen)}\n`);
    },
  });
  const problems = [
    ...seen.flatMap((round, i) => round.problems.map((problem) => `round ${i + 1}: ${problem}`)),
    ...growing(seen).map((what) => `grows: ${what}`),
  ];
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  const isTold = seen.length > roundsForVerdict;
  if (!isTold) console.log(`${seen.length} rounds are too few to tell what grows.`);
  else if (problems.length === 0) console.log(`${seen.length} rounds: nothing grows, and all came to the same.`);
  process.exitCode = problems.length > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
if (values.keep || process.exitCode !== 0) console.log(`Logs: ${join(directory, 'logs')}`);
else if (values.directory === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 3 });

function tableOf(rounds: readonly Round[]): string {
  const names = rounds[0]?.usage.processes.map(({ name }) => name) ?? [];
  const head = ['round', 'took', 'faults', ...names, 'processes', 'objects', 'others', 'uploads', 'events', 'problems'];
  const rows = rounds.map(({ seconds, strikes, usage, problems }, i) => [
    String(i + 1),
    duration(seconds),
    String(strikes.length),
    ...usage.processes.map(({ memory, handles }) => `${memory} MB ${handles}`),
    ...[usage.processCount, usage.runObjects, usage.otherObjects, usage.unfinishedUploads, usage.historyEvents].map(
      String,
    ),
    String(problems.length),
  ]);
  const numbers = head.map((_, i) => i).slice(2);
  return `Memory and open handles of each process; objects, others, uploads: in the store; events: in the histories of the run\n${columns([head, ...rows], numbers)}`;
}
